import Foundation
import JSON
import Testing

extension EndToEnd {
    /// A program that is not ours has its channel, what every program expects, and nothing of the daemon's.
    @Suite struct Launcher {
        private func house(_ script: String, name: String = "sh.sh") throws -> HookHouse {
            try HookHouse(
                [.init(name: "h", program: name, events: "after_response")], programs: ["sh.sh": "#!/bin/sh\n" + script]
            )
        }

        @Test func aHookHasNothingThatIsNotItsOwn() throws {
            let house = try self.house("while read -r line; do :; done\n")
            let pid = try house.waitUntilBack("h")
            try wait(for: "the launcher to be gone") { ProcFS.program(of: pid)?.contains("bulkhead-exec") == false }
            #expect(
                Set(try ProcFS.bytes("environ", of: pid).split(separator: "\0")) == [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                    "BULKHEAD_HOOK=h",
                ])
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap { Int($0) }
            // A shell keeps its script open.
            #expect(Set(open).isSubset(of: [0, 1, 2, 10]), "\(open)")
            let links = try [0, 1].map {
                try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
            }
            #expect(links[0].hasPrefix("socket:") && links[0] == links[1])
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            for line in ["NoNewPrivs:\t1", "SigBlk:\t0000000000000000"] {
                #expect(status.contains(line), "\(line)")
            }
            let ignored = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigIgn:\t") }).dropFirst(8)
            // Signals 32 and 33 are the C library's own, and nobody else can set them (nptl(7)).
            #expect(try #require(UInt64(ignored, radix: 16)) & ~(0b11 << 31) == 0, "\(ignored)")
            let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
            let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"], "\(core)")
            #expect(getsid(pid) == pid)
        }

        @Test func aHookEndsWithADaemonThatIsKilled() throws {
            // It does not read, so it would not see that its channel ends.
            let house = try self.house("exec sleep 1000\n")
            let pid = try house.waitUntilBack("h")
            kill(house.daemon.pid, SIGKILL)
            try wait(for: "the hook to end") { !ProcFS.exists(pid) }
        }

        @Test func whatAHookHasStartedIsKilledWithIt() throws {
            let house = try self.house("sleep 1000 &\necho $! >\"$0.pid\"\nexec cat >/dev/null\n")
            let pid = try house.waitUntilBack("h")
            var child: Int32 = 0
            try wait(for: "the hook to start something") {
                let text = (try? String(contentsOfFile: house.folder.path("sh.sh.pid"), encoding: .utf8)) ?? ""
                child = Int32(text.trimmingCharacters(in: .newlines)) ?? 0
                return child > 0
            }
            // It is told of a request, and does not answer.
            let wire = try Wire(house.daemon.socket)
            try wire.prompt(1)
            #expect(try wire.finish(1).last["event"]?.string == "done")
            try house.waitUntilBack("h", after: pid)
            try wait(for: "its child to end") { !ProcFS.exists(child) }
        }

        @Test func aHookThatDoesNotEndIsKilledWhenTheDaemonStops() throws {
            let house = try self.house("exec sleep 1000\n")
            let pid = try house.waitUntilBack("h")
            try house.daemon.stop()
            #expect(!ProcFS.exists(pid))
            #expect(house.daemon.process.terminationStatus == 0)
        }

        @Test func aProgramThatCannotRunIsSaidAndParked() throws {
            for (program, reason, code) in [
                ("/nonexistent/hook", "cannot run /nonexistent/hook: No such file or directory", 127),
                ("/etc/passwd", "it must be a file that the daemon's user may execute", 126),
            ] {
                let house = try self.house("", name: program)
                try wait(for: "the hook to be parked") { try house.hook("h")["state"]?.string == "parked" }
                #expect(try house.hook("h")["last_exit"]?.string == "exit code \(code)")
                #expect(house.daemon.log.contains(reason), "\(house.daemon.log)")
                let status = try CommandLine.run("status", socket: house.daemon.socket)
                #expect(
                    status.output.contains("parked") && status.output.contains("exit code \(code)"), "\(status.output)")
            }
        }

        @Test(arguments: [[], ["--"], ["--", "true"], ["true"], ["--parent", "0", "--", "/bin/true"]])
        func aWrongUseIsRefused(arguments: [String]) throws {
            let run = try ProgramRun(Checkout.program("bulkhead-exec"), arguments)
            #expect(try run.status() == 64)
            #expect(run.errors.hasPrefix("bulkhead-exec: "))
        }

        @Test func withoutItsParentNothingIsRun() throws {
            let run = try ProgramRun(Checkout.program("bulkhead-exec"), ["--parent", "1", "--", "/bin/true"])
            #expect(try run.status() == 71)
            #expect(run.errors.contains("the process that asked for /bin/true is gone"))
        }
    }
}
