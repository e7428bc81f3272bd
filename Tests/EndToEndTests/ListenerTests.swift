import Foundation
import JSON
import Testing

extension EndToEnd {
    /// How the daemon comes to its socket, and why it would not start.
    @Suite struct Listener {
        /// Starts bulkheadd on a socket and a state directory in `folder`.
        private func start(
            _ folder: Folder, socket: String = "s", program: URL = Checkout.program("bulkheadd"),
            _ arguments: [String] = []
        ) throws -> ProgramRun {
            let places = ["--socket", folder.path(socket), "--state-directory", folder.path("state")]
            return try ProgramRun(program, places + arguments)
        }

        private func expectServing(
            _ socket: String, by run: ProgramRun, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            try wait(for: "the daemon to serve: \(run.errors)", sourceLocation: sourceLocation) {
                guard run.isRunning else { throw DaemonEnded(log: run.errors) }
                return (try? Wire(socket).status()["logger"]?["state"]?.string) == "ready"
            }
            let wire = try Wire(socket)
            try wire.prompt(1, #"{"raw":"here"}"#)
            #expect(try wire.finish(1).text == "here", sourceLocation: sourceLocation)
        }

        private func expectNothingLeft(of folder: Folder, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try wait(for: "nothing of the daemon to be left", sourceLocation: sourceLocation) {
                try ProcFS.processes(mentioning: folder.url.path).isEmpty
            }
        }

        // MARK: The socket file

        @Test func aSocketThatADeadDaemonLeftIsReplaced() throws {
            let daemon = try Daemon()
            let first = daemon.pid
            kill(first, SIGKILL)
            try wait(for: "the daemon to be dead") { !daemon.process.isRunning }
            #expect(FileManager.default.fileExists(atPath: daemon.socket), "the dead cannot remove it")
            try daemon.start()
            #expect(daemon.pid != first)
            #expect(try daemon.status()["pid"]?.integer == Int(daemon.pid))
        }

        @Test func aSocketThatIsServedIsRefusedAndItsDaemonServesOn() throws {
            let daemon = try Daemon()
            let folder = try Folder()
            let second = try ProgramRun(
                Checkout.program("bulkheadd"), ["--socket", daemon.socket, "--state-directory", folder.path("state")])
            #expect(try second.status() == 1)
            #expect(
                second.errors.contains(
                    "another daemon serves '\(daemon.socket)'; stop it, or choose another path with --socket"))
            try self.expectNothingLeft(of: folder)
            #expect(try daemon.status()["pid"]?.integer == Int(daemon.pid))
        }

        @Test func aFileThatIsNoSocketIsRefusedAndStays() throws {
            let folder = try Folder()
            try folder.write("precious", to: "s")
            let run = try self.start(folder)
            #expect(try run.status() == 1)
            #expect(run.errors.contains("'\(folder.path("s"))' exists and is no socket"))
            #expect(try String(contentsOfFile: folder.path("s"), encoding: .utf8) == "precious")
            try self.expectNothingLeft(of: folder)
        }

        @Test func aPathThatIsTooLongOrInNoDirectoryIsRefused() throws {
            let folder = try Folder()
            let long = try self.start(folder, socket: String(repeating: "x", count: 107))
            #expect(try long.status() == 78)
            #expect(long.errors.contains("107"), "\(long.errors)")
            let nowhere = try self.start(folder, socket: "none/s")
            #expect(try nowhere.status() == 1)
            #expect(
                nowhere.errors.contains("'\(folder.path("none/s"))': No such file or directory"), "\(nowhere.errors)")
        }

        @Test func modeAndGroupOfTheSocketAreAsConfigured() throws {
            // Only root may give a file to a group of which it is no member.
            let group = getuid() == 0 ? 4711 : Int(getgid())
            for mode in [0o600, 0o666] {
                let daemon = try Daemon("socket: {mode: \"0\(String(mode, radix: 8))\", group: \(group)}")
                let attributes = try FileManager.default.attributesOfItem(atPath: daemon.socket)
                #expect(attributes[.posixPermissions] as? Int == mode)
                #expect(attributes[.groupOwnerAccountID] as? Int == group)
            }
            let daemon = try Daemon()
            let attributes = try FileManager.default.attributesOfItem(atPath: daemon.socket)
            #expect(attributes[.posixPermissions] as? Int == 0o660)
        }

        // MARK: LISTEN_FDS

        /// Starts bulkheadd as a service manager does: with `input` as descriptor 3.
        private func startActivated(_ folder: Folder, _ input: FileHandle, variables: String) throws -> ProgramRun {
            let script = "exec 3<&0 </dev/null; \(variables) exec \"$0\" \"$@\""
            let arguments = [
                Checkout.program("bulkheadd").path, "--socket", folder.path("own"), "--state-directory",
                folder.path("state"),
            ]
            return try ProgramRun(URL(filePath: "/bin/sh"), ["-c", script] + arguments, inputHandle: input)
        }

        /// A socket that listens at `path`.
        private func listeningSocket(_ path: String) throws -> FileHandle {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(status == 0 && listen(descriptor, 16) == 0)
            return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        }

        @Test func aSocketThatIsPassedIsServedAndNotRemoved() throws {
            let folder = try Folder()
            let path = folder.path("passed")
            let run = try self.startActivated(
                folder, try self.listeningSocket(path), variables: "LISTEN_PID=$$ LISTEN_FDS=1")
            try self.expectServing(path, by: run)
            #expect(!FileManager.default.fileExists(atPath: folder.path("own")), "no other socket is made")
            run.signal(SIGTERM)
            #expect(try run.status() == 0)
            #expect(FileManager.default.fileExists(atPath: path), "whoever made the socket removes it")
            try self.expectNothingLeft(of: folder)
        }

        @Test func variablesForAnotherProcessAreIgnored() throws {
            let folder = try Folder()
            let run = try self.startActivated(folder, .nullDevice, variables: "LISTEN_PID=1 LISTEN_FDS=1")
            try self.expectServing(folder.path("own"), by: run)
        }

        @Test func whatIsNoListeningSocketIsRefused() throws {
            let folder = try Folder()
            let none = try self.startActivated(folder, .nullDevice, variables: "LISTEN_PID=$$ LISTEN_FDS=1")
            #expect(try none.status() == 1)
            #expect(
                none.errors.contains("descriptor 3, which LISTEN_FDS names, is no listening socket"), "\(none.errors)")
            let two = try self.startActivated(folder, .nullDevice, variables: "LISTEN_PID=$$ LISTEN_FDS=2")
            #expect(try two.status() == 1)
            #expect(two.errors.contains("bulkheadd takes exactly one socket"), "\(two.errors)")
            try self.expectNothingLeft(of: folder)
        }

        // MARK: What a start needs

        @Test func aWrongConfigurationIsRefusedWithItsPlacesAndLeavesNothing() throws {
            let folder = try Folder()
            let file = try folder.write("sokcet: /x\nproviders: {echo: {slots: none}}\n", to: "bulkhead.yaml")
            let run = try self.start(folder, ["--config", file])
            #expect(try run.status() == 78)
            #expect(
                run.errors.contains("\(file):1:1: unknown field 'sokcet'; did you mean 'socket'?\n"), "\(run.errors)")
            #expect(run.errors.contains("\n\(file):2:27: field 'providers.echo.slots'"), "\(run.errors)")
            let missing = try self.start(folder, ["--config", folder.path("none.yaml")])
            #expect(try missing.status() == 78)
            #expect(missing.errors.contains("none.yaml"), "\(missing.errors)")
            #expect(
                !FileManager.default.fileExists(atPath: folder.path("state")),
                "nothing is made before the file was read")
            #expect(!FileManager.default.fileExists(atPath: folder.path("s")))
            try self.expectNothingLeft(of: folder)
        }

        @Test func aStateDirectoryThatIsInUseIsRefusedAndItsDaemonServesOn() throws {
            let daemon = try Daemon()
            let folder = try Folder()
            let second = try ProgramRun(
                Checkout.program("bulkheadd"),
                ["--socket", folder.path("s"), "--state-directory", daemon.stateDirectory.path])
            var children: [Int32] = []
            try wait(for: "its worker and its logger to start: \(second.errors)") {
                children = try ProcFS.children(of: second.pid)
                return children.count == 2
            }
            #expect(try second.status() == 1)
            let database = daemon.stateDirectory.appending(path: "logs.db").path
            #expect(
                second.errors.contains(
                    "another daemon uses \(database); stop it, or give this one a state directory of its own"))
            #expect(second.errors.contains("the record cannot be kept: stopping"), "\(second.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path("s")), "its socket is removed")
            try wait(for: "worker and logger to end") { !children.contains(where: ProcFS.exists) }
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            #expect(try wire.finish(1).last["event"]?.string == "done")
            #expect(try daemon.rowStates() == ["done": 1])
        }

        @Test func aWrongCommandLineIsRefused() throws {
            let program = Checkout.program("bulkheadd")
            for arguments in [["--sokcet", "/x"], ["stray"], ["--socket"], ["--config="]] {
                let run = try ProgramRun(program, arguments)
                #expect(try run.status() == 64, "\(arguments)")
                #expect(run.errors.contains("see bulkheadd --help"), "\(run.errors)")
            }
            for (argument, text) in [("--help", "USAGE"), ("--version", "bulkheadd 0.")] {
                let run = try ProgramRun(program, [argument])
                #expect(try run.status() == 0)
                #expect(run.output.contains(text))
            }
        }

        // MARK: As a package installs it

        @Test func theOtherProgramsAreFoundInLibexec() throws {
            let folder = try Folder()
            try folder.copy(["bulkheadd", "bulkhead"], to: "bin")
            try folder.copy(["bulkhead-worker", "bulkhead-logger", "bulkhead-config"], to: "libexec/bulkhead")
            let run = try self.start(folder, program: URL(filePath: folder.path("bin/bulkheadd")))
            try self.expectServing(folder.path("s"), by: run)
            let programs = try ProcFS.children(of: run.pid).compactMap(ProcFS.program)
            // To others the kernel does not show which programs they are, for they leave no cores.
            if getuid() == 0 { #expect(programs.contains(folder.path("libexec/bulkhead/bulkhead-logger"))) }
            #expect(programs.allSatisfy { $0.hasPrefix(folder.path("libexec/bulkhead/")) }, "\(programs)")
            let file = try folder.write("default_model: echo\n", to: "bulkhead.yaml")
            let check = try ProgramRun(URL(filePath: folder.path("bin/bulkhead")), ["config", "check", file])
            #expect(try check.status() == 0, "\(check.errors)")
            run.signal(SIGTERM)
            #expect(try run.status() == 0)

            try FileManager.default.removeItem(atPath: folder.path("libexec/bulkhead/bulkhead-logger"))
            let incomplete = try self.start(folder, program: URL(filePath: folder.path("bin/bulkheadd")))
            #expect(try incomplete.status() == 1)
            #expect(incomplete.errors.contains("bulkhead-logger is missing: looked for "), "\(incomplete.errors)")
            try self.expectNothingLeft(of: folder)
        }

        @Test func aConfigurationCanBeCheckedWithoutADaemon() throws {
            let folder = try Folder()
            let good = try folder.write("default_model: echo\nproviders: {echo: {slots: 2}}\n", to: "good.yaml")
            let accepted = try CommandLine.run("config", "check", good)
            #expect(accepted.status == 0, "\(accepted.errors)")
            #expect(accepted.output.hasPrefix("\(good): ok\n"))
            #expect(accepted.output.contains("provider echo: echo, 2 slots"), "\(accepted.output)")
            let bad = try folder.write("default_model: ecko\ndrain_timeout: 30\n", to: "bad.yaml")
            let refused = try CommandLine.run("config", "check", bad)
            #expect(refused.status == 1)
            #expect(refused.output == "")
            #expect(refused.errors.contains("\(bad):1:16: "), "\(refused.errors)")
            #expect(
                refused.errors.contains("\(bad):2:16: field 'drain_timeout': a duration needs a unit"),
                "\(refused.errors)")
        }

        @Test func aConfigurationCanBeMadeOfADatasetteYAML() throws {
            let folder = try Folder()
            let settings = "plugins: {datasette-llm: {default_model: echo, purposes: {extract: }, mdels: [a]}}\n"
            let file = try folder.write(settings, to: "datasette.yaml")
            let made = try CommandLine.run("config", "import", file)
            #expect(made.status == 0)
            #expect(
                made.errors.contains("\(file):1:71: unknown field 'mdels'; did you mean 'models'?"), "\(made.errors)")
            let check = try CommandLine.run("config", "check", try folder.write(made.output, to: "bulkhead.yaml"))
            #expect(check.status == 0 && check.output.contains("purpose extract\n"), "\(check.errors)\(check.output)")
        }
    }
}
