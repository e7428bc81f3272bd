import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// What the command line says of purposes and callers is what the daemon holds to.
    @Suite struct PolicyCommands {
        /// The users are numbers that no host gives to anybody.
        private static let configuration = """
            testing: true
            default_model: echo
            models: [echo]
            purposes:
              extract: {description: Facts, model: {model: echo, options: {example_bool: true}}, models: [locked]}
              closed: {models: []}
            callers:
              web: {user: 3999990001, purposes: [extract], may_name_actor: true, max_requests: 7}
              crew: {group: 3999990002, models: [echo], administrator: true}
            providers:
              echo: {type: echo}
              far: {type: openai-compatible, base_url: "http://127.0.0.1:9/v1", key: NO_SUCH_KEY, models: [locked]}
            """

        private func run(_ daemon: Daemon, _ arguments: String...) throws -> ProgramRun {
            let run = try ProgramRun(
                Checkout.program("bulkhead"), arguments, environment: ["BULKHEAD_SOCKET": daemon.socket])
            _ = try run.status()
            return run
        }

        @Test func theDaemonsOwnUserMayDoAllAndSeesItself() throws {
            let daemon = try Daemon(Self.configuration)
            let whoami = try JSONValue(parsing: try self.run(daemon, "whoami", "--json").output)
            #expect(whoami["uid"]?.integer == Int(geteuid()) && whoami["pid"]?.integer != nil)
            #expect(whoami["administrator"] == .bool(true) && whoami["purposes"]?.isNull == true)
            #expect(
                try self.run(daemon, "purposes").output == """
                    PURPOSE  MODEL  DESCRIPTION
                    extract  echo   Facts
                    closed   echo

                    """)
        }

        @Test func modelsAreListedForAPurposeAndAUserWithReasons() throws {
            let daemon = try Daemon(Self.configuration)
            #expect(
                try self.run(daemon, "models", "-p", "extract").output == """
                    MODEL  ALIASES  PROVIDER  NOTES
                    echo            echo      default

                    """)
            let all = try self.run(daemon, "models", "-p", "extract", "--as", "3999990001", "--all").output
            #expect(all.contains("NOT AVAILABLE BECAUSE"))
            #expect(all.contains("the model 'locked' needs a key and there is none: set NO_SUCH_KEY"), "\(all)")
            let refused = try self.run(daemon, "models", "--as", "3999990001")
            #expect(refused.errors.contains("not_allowed: the caller 'web' may not ask without a purpose"))
            let stranger = try self.run(daemon, "models", "--as", "3999990003")
            #expect(stranger.errors.contains("the user 3999990003 is no caller of this daemon"))
        }

        @Test func whatIsExplainedIsWhatAPromptGets() throws {
            let daemon = try Daemon(Self.configuration)
            let explained = try self.run(daemon, "explain", "-p", "extract", "--json")
            #expect(try explained.status() == 0)
            let explanation = try JSONValue(parsing: explained.output)
            #expect(
                explanation["model"]?.string == "echo" && explanation["options"]?.text() == #"{"example_bool":true}"#)
            let prompt = try self.run(daemon, "prompt", "-p", "extract", "--actor", "ada", "hi")
            #expect(prompt.output.contains("example_bool"), "\(prompt.output)\(prompt.errors)")
            let row = try daemon.rows("SELECT purpose, actor FROM requests")
            #expect(row.map { "\($0["purpose"] as String) \($0["actor"] as String)" } == ["extract ada"])

            let refusal = try self.run(daemon, "explain", "-p", "closed")
            #expect(try refusal.status() == 1)
            let refused = try self.run(daemon, "prompt", "-p", "closed", "hi")
            let message = try #require(refused.errors.components(separatedBy: "bulkhead: ").last).trimmingCharacters(
                in: .newlines)
            #expect(refusal.output.hasPrefix("allowed  no: \(message)\n"), "\(refusal.output)\(message)")
        }

        @Test(.enabled(if: geteuid() == 0, "only root can be another user"))
        func anotherUserIsWhoItIsAndMayNotAskForOthers() throws {
            let daemon = try Daemon(Self.configuration + "\nsocket: {mode: \"0666\"}")
            let wire = try withEffectiveUser(3_999_990_001) { try Wire(daemon.socket) }
            try wire.send(#"{"id":1,"op":"whoami"}"#)
            let whoami = try wire.next()["whoami"]
            #expect(whoami?["caller"]?.string == "web" && whoami?["uid"]?.integer == 3_999_990_001)
            #expect(whoami?["administrator"] == .bool(false) && whoami?["max_requests"]?.integer == 7)
            try wire.send(#"{"id":2,"op":"explain","purpose":"extract","as":{"uid":0}}"#)
            #expect(try wire.next()["error"]?["code"]?.string == "not_allowed")
            let stranger = try withEffectiveUser(3_999_990_004) { try Wire(daemon.socket) }
            try stranger.send(#"{"id":1,"op":"models"}"#)
            #expect(try stranger.next()["error"]?["code"]?.string == "not_allowed")
            try stranger.send(#"{"id":2,"op":"whoami"}"#)
            #expect(try stranger.next()["whoami"]?["allowed"] == .bool(false))
        }
    }
}
