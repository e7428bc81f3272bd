import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// What is in clients/python works as it stands there.
    @Suite(.enabled(if: ProgramRun.hasPython, "python3 is not on this machine"))
    struct PythonClient {
        private static let folder = Checkout.root.appending(path: "clients/python")

        private func text(_ name: String) throws -> String {
            try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        }

        // MARK: The program of thirty lines

        @Test func thirtyLinesOfPythonRunAChain() throws {
            try self.check(EchoChain.own)
        }

        @Test(.enabled(if: EchoChain.shared != nil, "there is no shared folder with vectors"))
        func thirtyLinesOfPythonRunTheChainOfTheVector() throws {
            try self.check(try #require(EchoChain.shared))
        }

        private func check(_ vector: EchoChain) throws {
            let program = try self.text("chain.py")
            #expect(program.split(separator: "\n", omittingEmptySubsequences: false).count - 1 <= 30)
            #expect(program.split(separator: "\n").allSatisfy { $0.count <= 120 })
            var paragraphs = program.components(separatedBy: "\n\n")
            try #require(
                paragraphs.count == 3 && paragraphs[1].contains("FUNCTIONS") && paragraphs[1].contains("REQUEST"))
            paragraphs[1] = try vector.program()
            let daemon = try Daemon()
            let run = try ProgramRun.python(
                ["-c", paragraphs.joined(separator: "\n\n")], environment: ["BULKHEAD_SOCKET": daemon.socket])
            #expect(try run.status() == 0, "\(run.errors)")
            #expect(EchoChain.anonymous(run.output) == vector.texts.joined())
            let recorded = try daemon.rows(
                "SELECT json_extract(payload, '$.exception') AS exception FROM parts WHERE type = 'tool_result' ORDER BY id"
            )
            let expected = vector.messages.array?.last?["parts"]?.array?.map { $0["exception"]?.string }
            #expect(recorded.map { $0["exception"] as String? } == expected)
            #expect(try daemon.rowStates() == ["done": 2])
        }

        @Test func itSaysWhatIsWrong() throws {
            let daemon = try Daemon()
            let program = try self.text("chain.py").replacing(
                "REQUEST = {", with: #"REQUEST = {"model": "ecko", "#)
            let failed = try ProgramRun.python(["-c", program], environment: ["BULKHEAD_SOCKET": daemon.socket])
            #expect(try failed.status() == 1)
            #expect(failed.errors.contains("unknown model 'ecko'"), "\(failed.errors)")
        }

        @Test func itRunsAsItStandsThere() throws {
            let daemon = try Daemon()
            let prompt = #"{"tool_calls":[{"name":"high_water","arguments":{"harbour":"Cuxhaven"}}]}"#
            let run = try ProgramRun.python(
                [Self.folder.appending(path: "chain.py").path, prompt], environment: ["BULKHEAD_SOCKET": daemon.socket])
            #expect(try run.status() == 0, "\(run.errors)")
            #expect(run.output.contains(#"[\"03:12\", \"15:40\"]"#), "\(run.output)")
        }

        // MARK: The module

        @Test func theTestsOfTheModulePass() throws {
            let upstream = try ToolUpstream(rounds: 50)
            let daemon = try Daemon(
                """
                testing: true
                default_model: echo
                providers:
                  echo: {type: echo}
                  fault: {type: echo-fault}
                  p: {type: openai-compatible, base_url: "\(upstream.upstream.url("/v1"))", models: [m]}
                """)
            let run = try ProgramRun.python(
                ["-B", "-W", "error", Self.folder.appending(path: "test_bulkhead.py").path],
                environment: ["BULKHEAD_SOCKET": daemon.socket, "BULKHEAD_TEST_MODEL": "m"])
            #expect(try run.status() == 0, "\(run.errors)")
            #expect(run.errors.contains("\nOK\n"))
            try wait(for: "the daemon to have nothing open") {
                let requests = try daemon.status()["requests"]
                return requests?["chains"]?.integer == 0 && requests?["open"]?.integer == 0
            }
        }

        @Test func whatItsReadmeShowsRuns() throws {
            let daemon = try Daemon()
            let blocks = try self.text("README.md").components(separatedBy: "\n```python\n").dropFirst().map {
                $0.components(separatedBy: "\n```")[0] + "\n"
            }
            try #require(blocks.count >= 2)
            for block in blocks {
                let run = try ProgramRun.python(
                    ["-B", "-c", block],
                    environment: ["BULKHEAD_SOCKET": daemon.socket, "PYTHONPATH": Self.folder.path])
                #expect(try run.status() == 0, "\(block): \(run.errors)")
                #expect(!run.output.isEmpty)
            }
        }
    }
}
