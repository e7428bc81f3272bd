import BulkheadClient
import Foundation
import GRDB
import JSON
import Messages
import Synchronization
import TestUpstream
import Testing

extension EndToEnd {
    /// Chains of the Swift client through the real daemon.
    @Suite struct ChainClient {
        private static let configuration = """
            testing: true
            default_model: echo
            providers: {echo: {type: echo, slots: 1}, fault: {type: echo-fault, slots: 4}}
            """

        // MARK: The vector

        @Test func aChainGoesAsLLMRunsIt() async throws {
            try await self.check(EchoChain.own)
        }

        @Test(.enabled(if: EchoChain.shared != nil, "there is no shared folder with vectors"))
        func aChainGoesAsTheVectorSays() async throws {
            try await self.check(try #require(EchoChain.shared))
        }

        private func check(_ vector: EchoChain) async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let chain = client.chain(try vector.request(), tools: EchoChain.tools)
            var rounds: [(text: String, usage: Usage?)] = []
            var text = ""
            for try await event in chain {
                switch event {
                case .start: text = ""
                case .text(let piece): text += piece
                case .round(let completion, _), .done(let completion): rounds.append((text, completion.usage))
                default: break
                }
            }
            #expect(
                rounds.map { EchoChain.anonymous($0.text) }.map { $0.drop { $0 == " " } }
                    == vector.texts.map { $0[...] })
            #expect(rounds.map { [$0.usage?.input, $0.usage?.output] } == vector.usage)
            let sent = JSONValue.array(chain.messages.dropLast().map(\.value))
            #expect(EchoChain.anonymous(sent.text()) == vector.messages.text())
        }

        // MARK: Pause and resume

        /// A tool that pauses the chain until it is allowed, and one that always answers.
        private static func tools(allowed: Bool) -> [Tool] {
            [
                Tool(name: "ask") { _ in
                    guard allowed else { throw ChainPause("needs consent") }
                    return "yes"
                },
                Tool(name: "know") { input in "known \(input["n"]?.integer ?? 0)" },
            ]
        }

        private static let prompt =
            #"{"prompt":"p","tool_calls":[{"name":"know","arguments":{"n":1}},{"name":"ask"},{"name":"know","arguments":{"n":3}}]}"#

        private func pause(_ chain: Chain) async throws -> ChainPause {
            do {
                _ = try await chain.completion()
            } catch let pause as ChainPause {
                return pause
            }
            Issue.record("it did not pause")
            throw Patience()
        }

        /// The results that echo was given in the last round.
        private func outputs(_ chain: Chain) throws -> [String?] {
            let text = try #require(chain.messages.last?.text)
            return try JSONValue(parsing: text)["tool_results"]?.array?.map { $0["output"]?.string } ?? []
        }

        @Test func aChainThatPausedGoesOnFromItsMessages() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let chain = client.chain(PromptRequest(prompt: Self.prompt, system: "S"), tools: Self.tools(allowed: false))
            let pause = try await self.pause(chain)
            #expect(pause.call?.name == "ask" && pause.reason == "needs consent")
            #expect(pause.messages.map(\.role) == [.system, .user, .assistant, .tool])
            #expect(pause.messages.unansweredCalls.map(\.name) == ["ask"])
            try await self.expectNothingOpen(daemon)

            // As if they had been written to a file meanwhile, and the daemon had been another.
            let saved = JSONValue.array(pause.messages.map(\.value)).text()
            try daemon.stop()
            try daemon.start()
            let again = try await BulkheadClient.connect(daemon.socket)
            let messages = try ModelMessage.list(JSONValue(parsing: saved))
            let calls = Mutex<[String]>([])
            var options = ChainOptions()
            options.beforeCall = { _, call in calls.withLock { $0.append(call.name) } }
            let resumed = again.chain(
                PromptRequest(prompt: "", messages: messages), tools: Self.tools(allowed: true), options: options)
            let completion = try await resumed.completion()
            #expect(calls.withLock { $0 } == ["ask"], "what has a result is not run again")
            #expect(completion.round == 1)
            #expect(resumed.messages.map(\.role) == [.system, .user, .assistant, .tool, .assistant])
            #expect(try self.outputs(resumed).contains("yes"))
        }

        @Test func aChainThatPausedGoesOnInItsConversation() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let first = try await client.complete(PromptRequest(prompt: "before", model: "echo"))
            let conversation = try #require(first.conversation)
            let chain = client.chain(
                PromptRequest(prompt: Self.prompt, conversation: conversation), tools: Self.tools(allowed: false))
            _ = try await self.pause(chain)
            let resumed = client.chain(chain.continuation, tools: Self.tools(allowed: true))
            let completion = try await resumed.completion()
            #expect(completion.conversation == conversation)
            #expect(try self.outputs(resumed) == ["known 1", "known 3", "yes"], "as llm has it: the new ones last")
        }

        @Test func callsWithoutIDsThatSomebodyElseHasWrittenAreAnsweredByTheirNames() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let calls = (1...2).map {
                MessagePart(.toolCall(ToolCall(id: "", name: "know", arguments: Array(#"{"n":\#($0)}"#.utf8))))
            }
            let messages = [ModelMessage(.user, text: "p"), ModelMessage(.assistant, calls)]
            let chain = client.chain(
                PromptRequest(prompt: "", model: "echo", messages: messages), tools: Self.tools(allowed: true))
            _ = try await chain.completion()
            #expect(try Set(self.outputs(chain)) == ["known 1", "known 2"])
            // What has been answered, or passed over by somebody who went on, is not asked for.
            let more = client.chain(
                PromptRequest(prompt: "and now?", model: "echo", messages: messages), tools: Self.tools(allowed: true))
            #expect(try await more.completion().round == 1)
            #expect(more.messages.map(\.role) == [.user, .assistant, .user, .assistant])
        }

        @Test func aCallThatIsForbiddenIsReportedToTheModel() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            var options = ChainOptions()
            options.beforeCall = { _, call in if call.name == "ask" { throw ToolCallCancelled("not today") } }
            let chain = client.chain(
                PromptRequest(prompt: Self.prompt), tools: Self.tools(allowed: true), options: options)
            _ = try await chain.completion()
            #expect(try self.outputs(chain) == ["known 1", "Cancelled: not today", "known 3"])
        }

        @Test func theTextOfAChainHasASpaceBetweenItsRounds() async throws {
            let upstream = try ToolUpstream(rounds: 3)
            let daemon = try Daemon(upstream.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            for stream in [true, false] {
                let chain = client.chain(
                    PromptRequest(prompt: "p", stream: stream), tools: [Self.adding()], limit: 3)
                #expect(try await chain.completion().text == "Round 1. Round 2. End.")
                #expect(chain.messages.map(\.text) == ["p", "Round 1.", "", "Round 2.", "", "End."])
                #expect(chain.usage == Usage(input: 30, output: 3))
            }
        }

        @Test func aChainThatReachedItsLimitGoesOnFromItsMessages() async throws {
            let upstream = try ToolUpstream(rounds: 4)
            let daemon = try Daemon(upstream.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let chain = client.chain(PromptRequest(prompt: "p"), tools: [Self.adding()], limit: 2)
            let failure = await #expect(throws: ClientError.self) { try await chain.completion() }
            guard case .failure(let failure)? = failure else { return }
            #expect(failure.code == .chainLimitExceeded)
            let more = client.chain(chain.continuation, tools: [Self.adding()], limit: 2)
            #expect(try await more.completion().text == "Round 3. End.")
            #expect(upstream.upstream.requests.count == 4, "no round is asked twice")
        }

        // MARK: Faults

        @Test func cancellingTheTaskWhileToolsRunLeavesNothingBehind() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let (started, begins) = AsyncStream.makeStream(of: Void.self)
            let tool = Tool(name: "know") { _ in
                begins.yield()
                try await Task.sleep(for: .seconds(3600))
                return "never"
            }
            let prompt = #"{"tool_calls":[{"name":"know"}]}"#
            let task = Task { try await client.chain(PromptRequest(prompt: prompt), tools: [tool]).completion() }
            for await _ in started { break }
            task.cancel()
            await #expect(throws: ClientError.cancelled) { try await task.value }
            try await self.expectNothingOpen(daemon)
            #expect(try daemon.rowStates() == ["done": 1])
            try await client.ping()
        }

        @Test func aWorkerThatDiesInARoundEndsTheChainWithAClearErrorAndItGoesOn() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let fault = try JSONValue(parsing: #"{"chunks":2,"after_chunks":1,"fault":"crash"}"#)
            let request = PromptRequest(prompt: "p", model: "echo-fault", options: fault)
            let chain = client.chain(request, tools: Self.tools(allowed: true))
            let error = await #expect(throws: ClientError.self) { try await chain.completion() }
            #expect(error?.isRetryable == true && "\(error!)".hasPrefix("worker_crashed: "))
            #expect(chain.messages == [ModelMessage(.user, text: "p")], "half a round is not part of it")
            var again = chain.continuation
            again.options = Array(#"{"chunks":1}"#.utf8)
            #expect(try await client.chain(again, tools: []).completion().text?.hasPrefix("0 ") == true)
        }

        /// The tool of ``ToolUpstream``.
        private static func adding() -> Tool {
            Tool(name: "add", description: "Adds") { input in
                "\(try input.integer("n"))+\(try input.integer("part"))"
            }
        }

        @Test func aChainOfFiftyRoundsGoesOnAfterTheDaemonWasKilledInTheMiddle() async throws {
            let upstream = try ToolUpstream(rounds: 50)
            let daemon = try Daemon(upstream.configuration)
            let counts = Counts()
            let (kill, pid) = (25, daemon.pid)
            let tool = Tool(name: "add", description: "Adds") { input in
                counts.count(input.call.id)
                let (round, part) = (try input.integer("n"), try input.integer("part"))
                if round == kill, part == 2, counts.isFirst("kill") {
                    Foundation.kill(pid, SIGKILL)
                    // The other call of the round has its result; this one has been interrupted.
                    try await Task.sleep(for: .seconds(3600))
                }
                return "\(round)+\(part)"
            }
            var client = try await BulkheadClient.connect(daemon.socket)
            var chain = client.chain(PromptRequest(prompt: "p"), tools: [tool], limit: 0)
            await #expect(throws: ClientError.daemonGone) { try await chain.completion() }
            #expect("\(ClientError.daemonGone)".contains("how the request ended is on record"))
            #expect(chain.messages.count == 1 + 2 * kill || chain.messages.count == 2 * kill)
            try await eventually("the daemon to be dead") { !daemon.process.isRunning }
            try daemon.start()
            client = try await BulkheadClient.connect(daemon.socket)
            let saved = chain.continuation
            chain = client.chain(saved, tools: [tool], limit: 0)
            let completion = try await chain.completion()
            #expect(completion.round == 25, "the rounds that were left, counted anew")
            #expect(chain.messages.count == 100)
            #expect(chain.messages.last == ModelMessage(.assistant, text: "End."))
            #expect(upstream.upstream.requests.count == 50, "each round was asked once")
            for round in 1...49 where round != kill {
                #expect(counts.of("call-\(round)-1") == 1 && counts.of("call-\(round)-2") == 1)
            }
            #expect(try daemon.rowStates() == ["done": 50], "no round was open when the daemon was killed")
            let chains = try daemon.rows("SELECT chain, count(*) AS n FROM requests GROUP BY chain ORDER BY min(id)")
            #expect(chains.map { $0["n"] as Int } == [25, 25])
        }

        @Test func aRoundThatTheDaemonDiesInIsAskedOnceMore() async throws {
            let gate = UpstreamGate()
            let upstream = try ToolUpstream(rounds: 4, hold: [3: gate])
            let daemon = try Daemon(upstream.configuration)
            var client = try await BulkheadClient.connect(daemon.socket)
            var chain = client.chain(PromptRequest(prompt: "p"), tools: [Self.adding()], limit: 0)
            let completion = Task { [chain] in try await chain.completion() }
            try await eventually("the third round to be half said") { gate.hasWaiting }
            kill(daemon.pid, SIGKILL)
            await #expect(throws: ClientError.daemonGone) { try await completion.value }
            #expect(chain.messages.map(\.role) == [.user, .assistant, .tool, .assistant, .tool])
            try await eventually("the daemon to be dead") { !daemon.process.isRunning }
            gate.open()
            try daemon.start()
            client = try await BulkheadClient.connect(daemon.socket)
            chain = client.chain(chain.continuation, tools: [Self.adding()], limit: 2)
            #expect(try await chain.completion().text == "Round 3. End.")
            #expect(chain.messages.count == 8 && upstream.upstream.requests.count == 5)
            #expect(try daemon.rowStates() == ["done": 4, "lost": 1])
        }

        /// Counts calls by their ids.
        private final class Counts: Sendable {
            private let counts = Mutex<[String: Int]>([:])

            func count(_ name: String) { self.counts.withLock { $0[name, default: 0] += 1 } }
            func of(_ name: String) -> Int { self.counts.withLock { $0[name] ?? 0 } }
            func isFirst(_ name: String) -> Bool {
                self.counts.withLock { counts in
                    counts[name, default: 0] += 1
                    return counts[name] == 1
                }
            }
        }

        private func expectNothingOpen(_ daemon: Daemon) async throws {
            try await eventually("the daemon to have nothing open") {
                let requests = try daemon.status()["requests"]
                return requests?["chains"]?.integer == 0 && requests?["open"]?.integer == 0
            }
        }
    }
}
