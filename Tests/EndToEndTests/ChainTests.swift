import BulkheadClient
import Foundation
import Framing
import GRDB
import JSON
import Messages
import TestUpstream
import Testing

extension EndToEnd {
    /// `op: chain` through the socket, byte for byte: the rules that hold for a client in any language.
    @Suite struct Chains {
        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo, slots: 1}
              fault: {type: echo-fault, slots: 1}
            """

        /// A prompt that has echo call tools: each as `name arguments`.
        private static func calling(_ calls: [(name: String, arguments: String)]) -> JSONValue {
            let list = calls.map { #"{"name":"\#($0.name)","arguments":\#($0.arguments)}"# }.joined(separator: ",")
            return .string(#"{"prompt":"p","tool_calls":[\#(list)]}"#)
        }

        /// Begins a chain that calls these tools, and reads to the end of its first round.
        ///
        /// - Parameter members: More of the request, with a comma in front.
        private func begin(
            _ wire: Wire, _ id: Int = 1, calls: [(name: String, arguments: String)], tools: [String] = ["a", "b", "c"],
            _ members: String = ""
        ) throws -> (calls: [String], round: JSONValue) {
            let list = tools.map { #"{"name":"\#($0)"}"# }.joined(separator: ",")
            try wire.send(
                #"{"id":\#(id),"op":"chain","prompt":\#(Self.calling(calls).text()),"tools":[\#(list)]\#(members)}"#)
            return try self.round(wire, id)
        }

        /// Reads to the end of a round.
        private func round(_ wire: Wire, _ id: Int) throws -> (calls: [String], round: JSONValue) {
            var calls: [String] = []
            while true {
                let frame = try wire.next()
                guard frame["id"]?.integer == id else { continue }
                switch frame["event"]?.string {
                case "tool_call": calls.append(frame["tool_call_id"]?.string ?? "")
                case "round": return (calls, frame)
                case "done", "error":
                    Issue.record("\(frame.text()) came instead of a round")
                    throw Patience()
                default: break
                }
            }
        }

        private func answer(_ wire: Wire, _ id: Int, of chain: Int = 1, _ results: String) throws -> JSONValue {
            try wire.send(#"{"id":\#(id),"op":"tool_result","target":\#(chain),"tool_results":[\#(results)]}"#)
            return try wire.finish(id).last
        }

        private func results(in text: String) throws -> [JSONValue] {
            try #require(try JSONValue(parsing: text)["tool_results"]?.array)
        }

        // MARK: Results

        @Test func resultsComeInAnyOrderSeveralAtOnceAndTheModelGetsThemInTheOrderOfItsCalls() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let (calls, round) = try self.begin(
                wire, calls: [("a", "{}"), ("b", "{}"), ("a", #"{"n":2}"#), ("c", "{}")])
            #expect(round["pending"]?.array?.compactMap(\.string) == calls && calls.count == 4)
            #expect(round["round"]?.integer == 1 && round["chain"] == round["request"])
            // The last first; then two at once, one of them by its name and with a fault; then the rest, with an attachment.
            #expect(
                try self.answer(wire, 2, #"{"tool_call_id":"\#(calls[3])","output":"C"}"#)["event"]?.string == "done")
            let two = try self.answer(
                wire, 3,
                #"{"name":"a","output":"Error: no","exception":"ValueError: no"},{"tool_call_id":"\#(calls[1])","output":"B"}"#
            )
            #expect(two["event"]?.string == "done")
            try wire.send(
                #"{"id":4,"op":"tool_result","target":1,"tool_results":[{"tool_call_id":"\#(calls[2])","output":"A2","attachments":[{"type":"image/png","content":"iVBORw0KGgo="}]}]}"#
            )
            let end = try wire.finish(1)
            #expect(end.last["round"]?.integer == 2 && end.last["chain"] == round["chain"])
            let results = try self.results(in: end.text)
            #expect(results.map { $0["output"]?.string } == ["Error: no", "B", "A2", "C"])
            #expect(results.map { $0["tool_call_id"]?.string } == calls)
            #expect(results.map { $0["name"]?.string } == ["a", "b", "a", "c"])
            // The fault and the attachment are on record.
            let parts = try daemon.rows(
                "SELECT json_extract(payload, '$.exception') AS exception FROM parts WHERE type = 'tool_result' AND exception IS NOT NULL"
            )
            #expect(parts.map { $0["exception"] as String? } == ["ValueError: no"])
            #expect(try daemon.rows("SELECT * FROM part_attachments").count == 1)
        }

        @Test func resultsThatAreNotOwedAreRefusedAndNoneIsTaken() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let (calls, _) = try self.begin(wire, calls: [("a", "{}"), ("b", "{}")])
            let good = #"{"tool_call_id":"\#(calls[0])","output":"A"}"#
            #expect(
                try self.answer(wire, 2, good + #",{"tool_call_id":"nope","output":"x"}"#).errorCode
                    == "invalid_request")
            #expect(try self.answer(wire, 3, of: 99, good).errorCode == "not_found")
            let other = try Wire(daemon.socket)
            #expect(try self.answer(other, 4, good).errorCode == "not_found", "a chain belongs to its connection")
            #expect(try self.answer(wire, 5, good)["event"]?.string == "done", "it was not taken before")
            #expect(try self.answer(wire, 6, good).errorCode == "invalid_request", "answered twice")
            #expect(try self.answer(wire, 7, #"{"output":"x"}"#).errorCode == "invalid_request")
            try wire.send(#"{"id":8,"op":"tool_result","target":1,"tool_results":[{"name":"b","output":"B"}]}"#)
            #expect(try self.results(in: try wire.finish(1).text).map { $0["output"]?.string } == ["A", "B"])
        }

        @Test func callsThatNobodyCanRunAreAnsweredByTheDaemon() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let (calls, round) = try self.begin(
                wire, calls: [("nope", "{}"), ("a", #""no object""#), ("a", "{}")])
            #expect(round["pending"]?.array?.compactMap(\.string) == [calls[2]])
            let unknown = try wire.await("tool_result", 1)
            #expect(unknown["output"]?.string == #"Error: tool "nope" does not exist"#)
            #expect(unknown["exception"]?.string == #"KeyError: 'tool "nope" does not exist'"#)
            let raw = try wire.await("tool_result", 1)
            #expect(raw["tool_call_id"]?.string == calls[1])
            #expect(raw["output"]?.string == #"Error: the arguments of tool "a" are not a JSON object"#)
            try wire.send(#"{"id":2,"op":"tool_result","target":1,"tool_results":[{"name":"a","output":"A"}]}"#)
            let results = try self.results(in: try wire.finish(1).text)
            #expect(results.map { $0["tool_call_id"]?.string } == calls)
        }

        @Test func aChainWhoseCallsAreAllAnsweredByTheDaemonGoesOnByItself() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let (_, round) = try self.begin(wire, calls: [("nope", "{}")])
            #expect(round["pending"]?.array?.isEmpty == true)
            let end = try wire.finish(1)
            #expect(end.last["round"]?.integer == 2)
            #expect(try self.results(in: end.text).count == 1)
        }

        // MARK: Limits

        @Test func theLimitIsExact() throws {
            let three = try ToolUpstream(rounds: 3)
            let daemon = try Daemon(three.configuration)
            let wire = try Wire(daemon.socket)
            for (id, limit) in [(1, 3), (2, 0)] {
                let (text, last) = try self.drive(wire, id, limit: limit)
                #expect(last["event"]?.string == "done" && last["round"]?.integer == 3, "\(last.text())")
                #expect(text == "Round 1.Round 2.End.", "the pieces are the model's own")
            }
            let (_, exceeded) = try self.drive(wire, 3, limit: 2)
            #expect(exceeded.errorCode == "chain_limit_exceeded")
            #expect(exceeded.errorMessage?.hasPrefix("Chain limit of 2 exceeded.") == true)
            #expect(exceeded["error"]?["retryable"] == .bool(false) && exceeded["request"] == nil)
            // A chain without calls needs one round, and has it.
            let one = try ToolUpstream(rounds: 1)
            let other = try Daemon(one.configuration)
            #expect(try self.drive(try Wire(other.socket), 1, limit: 1).last["event"]?.string == "done")
            #expect(try daemon.rowStates() == ["done": 8])
        }

        @Test func fiveRoundsAreTheDefault() throws {
            let upstream = try ToolUpstream(rounds: 6)
            let daemon = try Daemon(upstream.configuration)
            let last = try self.drive(try Wire(daemon.socket), 1, limit: nil).last
            #expect(last.errorCode == "chain_limit_exceeded")
            #expect(try daemon.rowStates() == ["done": 5])
        }

        /// Runs a chain with the tool `add` to its end.
        private func drive(
            _ wire: Wire, _ id: Int, limit: Int?, _ members: String = ""
        ) throws -> (text: String, last: JSONValue) {
            let tools = JSONValue.array([ToolUpstream.definition.value]).text()
            let bound = limit.map { #","chain_limit":\#($0)"# } ?? ""
            try wire.send(#"{"id":\#(id),"op":"chain","prompt":"p","tools":\#(tools)\#(bound)\#(members)}"#)
            var text = ""
            var number = 1000 * id
            while true {
                let frame = try wire.next()
                guard frame["id"]?.integer == id else { continue }
                switch frame["event"]?.string {
                case "text": text += frame["text"]?.string ?? ""
                case "round":
                    text += frame["text"]?.string ?? ""
                    for call in frame["pending"]?.array?.compactMap(\.string) ?? [] {
                        number += 1
                        let parts = call.split(separator: "-")
                        try wire.send(
                            #"{"id":\#(number),"op":"tool_result","target":\#(id),"tool_results":[{"tool_call_id":"\#(call)","output":"\#(parts[1])+\#(parts[2])"}]}"#
                        )
                    }
                case "done", "error": return (text + (frame["text"]?.string ?? ""), frame)
                default: break
                }
            }
        }

        // MARK: Waiting for tools

        @Test func aClientThatNeverAnswersEndsTheChainAlone() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            _ = try self.begin(wire, calls: [("a", "{}")], #","tool_timeout_ms":50"#)
            let last = try wire.finish(1).last
            #expect(last.errorCode == "timeout" && last["request"] == nil, "\(last.text())")
            #expect(last["error"]?["retryable"] == .bool(true))
            #expect(try self.answer(wire, 2, #"{"name":"a","output":"late"}"#).errorCode == "not_found")
            try self.expectNothingIsLeft(daemon, rows: ["done": 1])
        }

        @Test func noSlotIsHeldWhileToolsRun() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            _ = try self.begin(wire, calls: [("a", "{}")])
            #expect(try daemon.provider("echo")["busy"]?.integer == 0)
            // The only slot answers somebody else, and a second round of another chain, while this one waits.
            let other = try Wire(daemon.socket)
            try other.prompt(1, "hello", model: "echo")
            #expect(try other.finish(1).last["event"]?.string == "done")
            _ = try self.begin(other, 2, calls: [("b", "{}")])
            try other.send(#"{"id":3,"op":"tool_result","target":2,"tool_results":[{"name":"b","output":"B"}]}"#)
            #expect(try other.finish(2).last["event"]?.string == "done")
            try wire.send(#"{"id":2,"op":"tool_result","target":1,"tool_results":[{"name":"a","output":"A"}]}"#)
            #expect(try wire.finish(1).last["event"]?.string == "done")
            try self.expectNothingIsLeft(daemon, rows: ["done": 5])
        }

        @Test func cancellingWhileToolsRunEndsTheChain() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            _ = try self.begin(wire, calls: [("a", "{}")])
            try wire.send(#"{"id":2,"op":"cancel","target":1}"#)
            let last = try wire.finishAll([1, 2])
            #expect(last[1]?.errorCode == "cancelled" && last[1]?["request"] == nil)
            #expect(last[2]?["event"]?.string == "done")
            try self.expectNothingIsLeft(daemon, rows: ["done": 1])
        }

        @Test func aClientThatGoesWhileToolsRunLeavesNothingBehind() throws {
            let daemon = try Daemon(Self.configuration)
            do {
                let wire = try Wire(daemon.socket)
                _ = try self.begin(wire, calls: [("a", "{}")])
                _ = try self.begin(wire, 2, calls: [("b", "{}")])
                #expect(try daemon.status()["requests"]?["chains"]?.integer == 2)
            }
            try self.expectNothingIsLeft(daemon, rows: ["done": 2])
        }

        /// Waits until the daemon has no chain, no request and nothing of theirs in memory.
        private func expectNothingIsLeft(_ daemon: Daemon, rows: [String: Int]) throws {
            try wait(for: "the daemon to have nothing open") {
                let status = try daemon.status()
                return status["requests"]?["chains"]?.integer == 0 && status["requests"]?["open"]?.integer == 0
                    && status["memory"]?["used_bytes"]?.integer == 0 && status["connections"]?.integer ?? 0 <= 3
            }
            try daemon.waitUntilIdle()
            #expect(try daemon.rowStates() == rows)
        }

        // MARK: The record

        @Test func eachRoundIsARowOfItsOwnWithOneChain() throws {
            let upstream = try ToolUpstream(rounds: 3)
            let daemon = try Daemon(upstream.configuration)
            let wire = try Wire(daemon.socket)
            let last = try self.drive(wire, 1, limit: 5).last
            let chain = try #require(last["chain"]?.string)
            try wire.prompt(2, "alone")
            _ = try wire.finish(2)
            let rows = try daemon.rows()
            #expect(rows.map { $0["chain"] as String? } == [chain, chain, chain, nil])
            #expect(rows[0]["id"] == chain && rows[2]["id"] == last["request"]?.string)
            try wire.send(#"{"id":3,"op":"requests"}"#)
            let listed = try #require(try wire.finish(3).last["requests"]?.array)
            #expect(listed.map { $0["chain"]?.string } == [nil, chain, chain, chain])
            #expect(Set(listed.dropFirst().map { $0["conversation"]?.string }) == [chain], "one conversation")
            try wire.send(#"{"id":4,"op":"logs"}"#)
            let logs = try #require(try wire.finish(4).last["logs"]?.array)
            #expect(logs.map { $0["response"]?.string } == ["Round 1.", "End.", "Round 2.", "Round 1."].map { $0 })
            #expect(logs.dropFirst().map { $0["tool_calls"]?.array?.count } == [nil, 2, 2])
            #expect(logs.dropFirst().map { $0["tool_results"]?.array?.count } == [2, 2, nil])
        }

        @Test(.enabled(if: LLMProgram.path != nil, "there is no llm: scripts/llm, or name one in BULKHEAD_LLM"))
        func llmShowsTheRounds() throws {
            let upstream = try ToolUpstream(rounds: 2)
            let daemon = try Daemon(upstream.configuration)
            _ = try self.drive(try Wire(daemon.socket), 1, limit: 5)
            try daemon.stop()
            let database = daemon.stateDirectory.appending(path: "logs.db").path
            let run = try ProgramRun(
                URL(filePath: try #require(LLMProgram.path)), ["logs", "-d", database, "-n", "0"],
                environment: ["LLM_USER_PATH": daemon.directory.path, "PATH": "/usr/bin:/bin"])
            #expect(try run.status() == 0, "\(run.errors)")
            for text in ["Round 1.", "End.", "### Tool calls", "call-1-2", "### Tool results", "1+2"] {
                #expect(run.output.contains(text), "\(text) in \(run.output)")
            }
        }

        @Test func anAnswerThatIsNotStreamedHasEachRoundWhole() throws {
            let upstream = try ToolUpstream(rounds: 3)
            let daemon = try Daemon(upstream.configuration)
            let (text, last) = try self.drive(try Wire(daemon.socket), 1, limit: 5, #","stream":false"#)
            #expect(text == "Round 1.Round 2.End." && last["text"]?.string == "End.")
            #expect(last["round"]?.integer == 3)
            #expect(upstream.upstream.requests.count == 3)
        }

        @Test func aPromptWithToolsReturnsTheCallsAndStops() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            try wire.send(
                #"{"id":1,"op":"prompt","prompt":\#(Self.calling([("a", "{}")]).text()),"tools":[{"name":"a"}],"stream":false}"#
            )
            let last = try wire.finish(1).last
            #expect(last["tool_calls"]?.array?.count == 1 && last["chain"] == nil)
            try self.expectNothingIsLeft(daemon, rows: ["done": 1])
        }
    }
}

/// llm, where it is installed.
enum LLMProgram {
    static let path: String? = {
        if let path = ProcessInfo.processInfo.environment["BULKHEAD_LLM"] { return path }
        let directory = Checkout.root.appending(path: ".build/llm").path
        return FileManager.default.fileExists(atPath: directory + "/packages") ? directory + "/bin/llm" : nil
    }()
}
