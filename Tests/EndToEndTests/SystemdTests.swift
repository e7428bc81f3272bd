import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// The units of systemd/, in a real systemd.
    @Suite(.enabled(if: SystemdBox.isThere, SystemdBox.reason)) struct Systemd {
        /// The highest exposure that `systemd-analyze security` may find, in tenths. docs/operations.md says what was measured.
        private static let exposure = 15

        @Test func theUnitsAreValidAndHardened() throws {
            let box = try SystemdBox()
            let complaints = try box.run("systemd-analyze", "verify", "bulkhead.socket", "bulkhead.service")
            #expect(complaints == "")
            try box.run(
                "systemd-analyze", "security", "--offline=true", "--threshold=\(Self.exposure)", "bulkhead.service")
        }

        @Test func theFirstPromptStartsTheDaemonAndAStopIsClean() throws {
            let box = try SystemdBox()
            try box.run("systemctl", "start", "bulkhead.socket")
            #expect(try box.property("ActiveState") == "inactive")
            #expect(try box.run("bulkhead", "prompt", "hello").hasPrefix("{\n  \"prompt\": \"hello\""))
            try wait(for: "the service to be active") { try box.property("ActiveState") == "active" }
            #expect(try box.property("StatusText") == "Serving 1 provider")
            #expect(try box.run("journalctl", "-u", "bulkhead.service").contains("worker ready"))

            try box.run("systemctl", "stop", "bulkhead.service")
            #expect(try box.property("Result") == "success")
            #expect(try box.property("ExecMainStatus") == "0")
            try box.run("systemctl", "is-active", "--quiet", "bulkhead.socket")
            let rows = try box.rows()
            #expect(rows.map { $0["state"] as String? } == ["done"])
            #expect(rows.map { $0["uid"] as Int? } == [0])

            try box.run("bulkhead", "ping")
            try box.run("systemctl", "stop", "bulkhead.socket")
            #expect(try box.property("ActiveState") == "inactive", "the service goes with its socket")
            #expect(try !FileManager.default.fileExists(atPath: box.path("/run/bulkhead.sock")))
        }

        @Test func membersOfTheGroupMayConnectAndNobodyElse() throws {
            let box = try SystemdBox()
            try box.run("systemctl", "start", "bulkhead.socket")
            try box.run("setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", "bulkhead", "ping", status: 69)
            try box.run(
                "setpriv", "--reuid=bulkheadd", "--regid=bulkheadd", "--init-groups", "bulkhead", "ping", status: 69)
            try box.run(
                "setpriv", "--reuid=4711", "--regid=4711", "--groups=bulkhead", "bulkhead", "prompt", "hello")
            try box.run("systemctl", "stop", "bulkhead.service")
            let rows = try box.rows()
            #expect(rows.map { $0["uid"] as Int? } == [4711], "the kernel says who it was")
            #expect(rows.map { $0["gid"] as Int? } == [4711])
        }

        @Test func aDaemonThatIsKilledIsReplacedWhileClientsWait() throws {
            let box = try SystemdBox()
            try box.run("systemctl", "start", "bulkhead.service")
            let first = try box.property("MainPID")
            try box.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "bulkhead.service")
            let wire = try Wire(try box.path("/run/bulkhead.sock"))
            try wire.prompt(1, "still here")
            #expect(try wire.finish(1).text.contains("still here"))
            #expect(try box.property("MainPID") != first)
            #expect(try box.property("NRestarts") == "1")
            try box.run("systemctl", "is-active", "--quiet", "bulkhead.socket")
        }

        @Test func aConfigurationThatIsRefusedCostsTheSocketNothing() throws {
            let box = try SystemdBox()
            let file = try box.path("/etc/bulkhead/bulkhead.yaml")
            try "sokcet: /x\n".write(toFile: file, atomically: false, encoding: .utf8)
            try box.run("systemctl", "start", "bulkhead.socket")
            let client = try box.start(["bulkhead", "ping"])
            try wait(for: "the second failure") { Int(try box.property("NRestarts")) ?? 0 >= 2 }
            #expect(try box.run("journalctl", "-u", "bulkhead.service").contains("unknown field 'sokcet'"))
            try box.run("systemctl", "is-active", "--quiet", "bulkhead.socket")
            #expect(client.isRunning, "it waits: \(client.errors)")
            try "providers: {echo: {slots: 3}}\n".write(toFile: file, atomically: false, encoding: .utf8)
            #expect(try client.status() == 0, "\(client.errors)")
            let status = try Wire(try box.path("/run/bulkhead.sock")).status()
            #expect(status["providers"]?[0]?["slots"]?.integer == 3)
        }

        @Test func aReloadTakesTheConfigurationOrFailsWithItsProblems() throws {
            let box = try SystemdBox()
            let file = try box.path("/etc/bulkhead/bulkhead.yaml")
            try box.run("systemctl", "start", "bulkhead.service")
            let process = try box.property("MainPID")
            try "providers: {echo: {slots: 3}}\n".write(toFile: file, atomically: false, encoding: .utf8)
            try box.run("systemctl", "reload", "bulkhead.service")
            let status = try Wire(try box.path("/run/bulkhead.sock")).status()
            #expect(status["providers"]?[0]?["slots"]?.integer == 3)
            try "sokcet: /x\n".write(toFile: file, atomically: false, encoding: .utf8)
            try box.run("systemctl", "reload", "bulkhead.service", status: 1)
            #expect(try box.property("ActiveState") == "active")
            #expect(try box.property("StatusText") == "Serving 1 provider")
            #expect(try box.property("MainPID") == process)
            #expect(try box.run("journalctl", "-u", "bulkhead.service").contains("unknown field 'sokcet'"))
        }

        @Test func workersReachTheNetworkAndKeysComeFromTheEnvironmentFile() throws {
            let box = try SystemdBox()
            // Nobody listens there: that the kernel says so shows that a worker may ask.
            let yaml = """
                providers:
                  echo: {}
                  local: {type: openai-compatible, base_url: "http://localhost:9/v1", models: [remote]}
                """
            try yaml.write(
                toFile: try box.path("/etc/bulkhead/bulkhead.yaml"), atomically: false, encoding: .utf8)
            try "LLM_ECHO_NEEDS_KEY_KEY=K-4711\n".write(
                toFile: try box.path("/etc/bulkhead/environment"), atomically: false, encoding: .utf8)
            try box.run("systemctl", "start", "bulkhead.socket")
            let refused = try box.run("bulkhead", "prompt", "-m", "remote", "hello", status: 75)
            #expect(refused.contains("Failed to connect to localhost port 9"), "\(refused)")
            let keyed = try box.run("bulkhead", "prompt", "-m", "echo-needs-key", "hello")
            #expect(keyed.contains(#""key": "K-4711""#), "\(keyed)")
            #expect(try !box.run("journalctl").contains("K-4711"))
        }
    }
}
