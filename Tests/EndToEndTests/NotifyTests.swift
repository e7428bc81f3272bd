import Foundation
import JSON
import Testing

extension EndToEnd {
    /// What a service manager is told, at a socket of the test's own.
    @Suite struct Notify {
        /// A folder with programs as a package installs them, but with another worker and a bulkhead-config that writes its
        /// environment to the file `environment`.
        private func installation(worker: String) throws -> Folder {
            let folder = try Folder()
            try folder.copy(["bulkheadd"], to: "bin")
            try folder.copy(["bulkhead-logger"], to: "libexec/bulkhead")
            try FileManager.default.createSymbolicLink(
                atPath: folder.path("libexec/bulkhead/bulkhead-worker"), withDestinationPath: worker)
            let script = """
                #!/bin/sh
                /usr/bin/env >'\(folder.path("environment"))'
                exec '\(Checkout.program("bulkhead-config").path)' "$@"
                """
            let file = try folder.write(script, to: "libexec/bulkhead/bulkhead-config")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            return folder
        }

        @Test func readyIsToldWhenEverythingRunsAndStoppingWhenItStops() throws {
            let folder = try Folder()
            for name in [folder.path("notify"), "@\(folder.path("abstract"))"] {
                let manager = try NotifyListener(name)
                let daemon = try Daemon(environment: ["NOTIFY_SOCKET": name], start: false)
                try daemon.launch()
                #expect(try manager.next() == ["READY=1", "STATUS=Serving 1 provider"])
                let status = try daemon.status()
                #expect(status["logger"]?["state"]?.string == "ready")
                #expect(status["providers"]?[0]?["state"]?.string == "ready")
                kill(try daemon.worker("echo"), SIGKILL)
                try wait(for: "the next worker") { try daemon.provider("echo")["starts"]?.integer == 2 }
                try daemon.waitUntilIdle()
                #expect(manager.pending() == nil, "it is ready once")
                try daemon.stop()
                #expect(try manager.next() == ["STOPPING=1", "STATUS=Finishing what is open"])
                #expect(manager.pending() == nil)
            }
        }

        @Test func aProviderThatDoesNotWorkKeepsNobodyWaitingAndChildrenDoNotSpeakForTheDaemon() throws {
            let folder = try self.installation(worker: "/bin/false")
            let manager = try NotifyListener(folder.path("notify"))
            let run = try ProgramRun(
                URL(filePath: folder.path("bin/bulkheadd")),
                ["--socket", folder.path("s"), "--state-directory", folder.path("state")],
                environment: ["NOTIFY_SOCKET": folder.path("notify"), "OTHER": "1"])
            #expect(try manager.next().first == "READY=1", "\(run.errors)")
            #expect(try Wire(folder.path("s")).status()["providers"]?[0]?["deaths"]?.integer ?? 0 > 0)
            let environment = try String(contentsOfFile: folder.path("environment"), encoding: .utf8)
            #expect(environment.contains("OTHER=1"))
            #expect(!environment.contains("NOTIFY_SOCKET"))
            run.signal(SIGTERM)
            #expect(try run.status() == 0)
            #expect(try manager.next().first == "STOPPING=1")
        }

        @Test func aServiceManagerThatCannotBeToldIsNoReasonNotToServe() throws {
            let folder = try Folder()
            for name in [folder.path("nobody"), "vsock:2:1", "/\(String(repeating: "x", count: 108))"] {
                let daemon = try Daemon(environment: ["NOTIFY_SOCKET": name])
                try daemon.stop()
                #expect(daemon.process.terminationStatus == 0)
                #expect(daemon.log.contains("the service manager could not be told"), "\(daemon.log)")
                #expect(daemon.log.contains(name))
            }
        }
    }
}
