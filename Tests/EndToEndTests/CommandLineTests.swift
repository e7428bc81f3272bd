import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// The program `bulkhead` and the real daemon.
    @Suite struct CommandLineClient {
        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault}
            """

        private func start(
            _ daemon: Daemon, _ arguments: String..., input: String = "", outputHandle: FileHandle? = nil
        ) throws -> ProgramRun {
            try ProgramRun(
                Checkout.program("bulkhead"), arguments, environment: ["BULKHEAD_SOCKET": daemon.socket], input: input,
                outputHandle: outputHandle)
        }

        @Test(arguments: [SIGINT, SIGTERM])
        func aSignalCancelsTheRequest(_ signal: Int32) throws {
            let daemon = try Daemon(Self.configuration)
            let run = try self.start(
                daemon, "-m", "echo-fault", "-o", "fault", "silent", "-o", "after_chunks", "1", "hi")
            try wait(for: "the first text: \(run.errors)") { run.output == "0 .............." }
            run.signal(signal)
            #expect(try run.status() == 128 + signal, "\(run.errors)")
            #expect(run.output == "0 ..............\n", "the line is ended")
            let rows = try daemon.rows()
            #expect(rows.map { $0["state"] as String } == ["cancelled"])
            #expect(rows.first?["pid"] as Int32? == run.pid)
            try daemon.waitUntilIdle()
            #expect(try daemon.provider("fault")["deaths"]?.integer == 0)
        }

        @Test func aClosedOutputCancelsTheRequest() throws {
            let daemon = try Daemon(Self.configuration)
            let pipe = Pipe()
            let run = try self.start(
                daemon, "-m", "echo-fault", "-o", "fault", "flood", "hi", outputHandle: pipe.fileHandleForWriting)
            try pipe.fileHandleForWriting.close()
            #expect(try pipe.fileHandleForReading.read(upToCount: 2) == Data("0 ".utf8))
            try pipe.fileHandleForReading.close()
            #expect(try run.status() == 141)
            #expect(run.errors == "", "as quiet as any program before head")
            try wait(for: "the row to be closed") { try daemon.rowStates() == ["cancelled": 1] }
            try daemon.waitUntilIdle()
        }

        @Test func whatIsPipedInComesBeforeTheText() throws {
            let daemon = try Daemon(Self.configuration)
            let both = try self.start(daemon, "What went wrong?", input: "a line\nanother\n")
            #expect(try both.status() == 0)
            #expect(both.output.contains(#""prompt": "a line\nanother\nWhat went wrong?""#), "\(both.output)")
            let alone = try self.start(daemon, "prompt", "-s", "Be brief", input: "only this")
            #expect(try alone.status() == 0)
            #expect(alone.output.contains(#""prompt": "only this""#), "\(alone.output)")
            #expect(alone.output.contains(#""system": "Be brief""#), "\(alone.output)")
        }

        @Test func framesAreLinesOfJSON() throws {
            let daemon = try Daemon(Self.configuration)
            let run = try self.start(daemon, "prompt", "--json", "-m", "echo-fault", "-o", "chunks", "2", "hi")
            #expect(try run.status() == 0)
            let frames = try run.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            #expect(frames.map { $0["event"]?.string } == ["start", "text", "text", "done"])
            #expect(frames.last?["request"]?.string == (try daemon.rows().first?["id"] as String?))
            let failed = try self.start(daemon, "prompt", "--json", "-m", "echo-fault", "-o", "fault", "error", "hi")
            #expect(try failed.status() == 1)
            let last = try JSONValue(parsing: String(try #require(failed.output.split(separator: "\n").last)))
            #expect(last.errorCode == "model_error")
            let status = try self.start(daemon, "status", "--json")
            #expect(try status.status() == 0)
            #expect(try JSONValue(parsing: status.output)["pid"]?.integer == Int(daemon.pid))
        }

        @Test func optionsReachTheModelAndAnAnswerCanComeWhole() throws {
            let daemon = try Daemon(Self.configuration)
            let run = try self.start(daemon, "-o", "example_bool", "true", "--no-stream", "hi")
            #expect(try run.status() == 0, "\(run.errors)")
            #expect(run.output.contains("\"example_bool\": true"), "\(run.output)")
            #expect(run.output.contains("\"stream\": false"), "\(run.output)")
            let wrong = try self.start(daemon, "-o", "exmple_bool", "true", "hi")
            #expect(try wrong.status() == 1)
            #expect(wrong.errors.contains("invalid_options"), "\(wrong.errors)")
        }

        @Test func theExitStatusSaysWhetherToTryAgain() throws {
            let daemon = try Daemon(Self.configuration)
            let cases: [([String], Int32, String)] = [
                (["-m", "ecko", "hi"], 1, "bulkhead: unknown_model: "),
                (["-m", "echo-fault", "-o", "fault", "error", "hi"], 1, "bulkhead: model_error: "),
                (["-m", "echo-fault", "-o", "fault", "crash", "hi"], 75, "bulkhead: worker_crashed: "),
                (["-m", "echo-fault", "-o", "fault", "silent", "--timeout", "100ms", "hi"], 75, "bulkhead: timeout: "),
                (
                    ["--socket", daemon.socket + "-not", "hi"], 69,
                    "bulkhead: cannot connect to '\(daemon.socket)-not': "
                ),
            ]
            for (arguments, status, complaint) in cases {
                let run = try ProgramRun(
                    Checkout.program("bulkhead"), arguments, environment: ["BULKHEAD_SOCKET": daemon.socket])
                #expect(try run.status() == status, "\(arguments): \(run.errors)")
                #expect(run.errors.hasPrefix(complaint), "\(arguments): \(run.errors)")
                #expect(run.output == "", "\(arguments)")
                try daemon.waitUntilIdle()
            }
        }

        @Test func aDaemonThatStopsIsToldToWhoWaits() throws {
            let daemon = try Daemon(Self.configuration)
            let run = try self.start(
                daemon, "-m", "echo-fault", "-o", "fault", "silent", "-o", "after_chunks", "1", "hi")
            try wait(for: "the first text: \(run.errors)") { !run.output.isEmpty }
            kill(daemon.pid, SIGKILL)
            #expect(try run.status() == 75)
            #expect(
                run.errors.hasPrefix("bulkhead: the daemon closed the connection before the answer was complete"),
                "\(run.errors)")
        }
    }
}
