import BulkheadClient
import Foundation
import JSON
import Messages
import Synchronization
import Testing

/// Chains of the library against a daemon that says what a test tells it to.
@Suite(.timeLimit(.minutes(2)))
struct ChainTests {
    private let upper = Tool(name: "upper", description: "Louder") { input in
        ToolOutput(try input.text("text").uppercased())
    }

    private func connect() async throws -> (FakeDaemon, BulkheadClient, Peer) {
        let daemon = try FakeDaemon()
        let client = try await BulkheadClient.connect(daemon.path)
        return (daemon, client, try await daemon.accept())
    }

    @Test func toolsAreRunAndTheModelIsAskedAgain() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        var request = PromptRequest(prompt: "Shout", system: "S")
        request.tools = Array("[]".utf8)
        let chain = client.chain(request, tools: [self.upper], limit: 7)
        let task = Task { () -> ([String], String) in
            var (names, text) = ([String](), "")
            for try await event in chain {
                switch event {
                case .start(let start): names.append("start \(start.round ?? 0)")
                case .text(let more): text += more
                case .toolCall(let call): names.append("call \(call.id)")
                case .round(_, let pending): names.append("round \(pending)")
                case .done: names.append("done")
                default: names.append("\(event)")
                }
            }
            return (names, text)
        }
        let (id, asked) = try await peer.readChain()
        #expect(asked.limit == 7)
        #expect(asked.prompt.tools == Array(#"[{"name":"upper","description":"Louder","input_schema":{}}]"#.utf8))
        await peer.writeRound(
            id, text: "Wait.", calls: [("c1", "upper", #"{"text":"a"}"#), ("c2", "upper", #"{"n":1}"#)])
        let results = try await peer.readResults(of: id) + peer.readResults(of: id)
        #expect(
            results.sorted { $0.toolCallID! < $1.toolCallID! } == [
                ToolResult(name: "upper", output: "A", toolCallID: "c1"),
                ToolResult(
                    name: "upper", output: "Error: the argument 'text' is missing", toolCallID: "c2",
                    exception: "TypeError: the argument 'text' is missing"),
            ])
        await peer.writeEnd(id, text: "A!")
        let (names, text) = try await task.value
        #expect(names == ["start 1", "call c1", "call c2", #"round ["c1", "c2"]"#, "start 2", "done"])
        #expect(text == "Wait. A!", "a space between the rounds, as neither has one")
        #expect(chain.usage == Usage(input: 11, output: 22))
        let messages = chain.messages
        #expect(messages.map(\.role) == [.system, .user, .assistant, .tool, .assistant])
        #expect(messages[2].text == "Wait." && messages[4].text == "A!")
        #expect(messages[3].parts.map(\.content).map(\.resultID) == ["c1", "c2"])
    }

    @Test func callsOfARoundRunAtOnceAndTheirResultsStandInTheOrderOfTheCalls() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let gate = Gate()
        let tool = Tool(name: "wait") { input in
            if input.call.id == "c1" { await gate.pass() }
            return "\(input.call.id)"
        }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool])
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "wait", "{}"), ("c2", "wait", "{}"), ("c3", "wait", "{}")])
        var sent = try await peer.readResults(of: id) + peer.readResults(of: id)
        #expect(Set(sent.map(\.output)) == ["c2", "c3"], "the first call does not hold up the others")
        await gate.open()
        sent = try await peer.readResults(of: id)
        #expect(sent.map(\.output) == ["c1"])
        await peer.writeEnd(id, text: "end")
        #expect(try await completion.value.text == "end")
        #expect(chain.messages[2].parts.map(\.content).map(\.resultID) == ["c1", "c2", "c3"])
    }

    @Test func noMoreCallsRunAtOnceThanThereMayBe() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let running = Mutex((now: 0, most: 0))
        let tool = Tool(name: "t") { _ in
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            running.withLock { $0.now -= 1 }
            return "x"
        }
        var options = ChainOptions()
        options.concurrency = 2
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool], options: options)
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: (1...8).map { ("c\($0)", "t", "{}") })
        for _ in 1...8 { _ = try await peer.readResults(of: id) }
        await peer.writeEnd(id, text: "end")
        _ = try await completion.value
        #expect(running.withLock { $0.most } <= 2)
    }

    @Test func whatIsNotOwedIsNotRun() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let calls = Mutex<[String]>([])
        let tool = Tool(name: "t") { input in
            calls.withLock { $0.append(input.call.id) }
            return "x"
        }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool])
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "nope", "{}"), ("c2", "t", "{}")], pending: ["c2"])
        await peer.write(
            json:
                #"{"id":\#(id),"event":"tool_result","tool_call_id":"c1","name":"nope","output":"Error: tool \"nope\" does not exist","exception":"KeyError: 'tool \"nope\" does not exist'"}"#
        )
        _ = try await peer.readResults(of: id)
        await peer.writeEnd(id, text: "end")
        _ = try await completion.value
        #expect(calls.withLock { $0 } == ["c2"])
        #expect(chain.messages[2].parts.map(\.content).map(\.resultID) == ["c1", "c2"])
        #expect(chain.messages[1].parts.count == 2, "the daemon's result is no part of what the model said")
    }

    // MARK: Hooks

    @Test func hooksSeeCallsAndResultsAndMayForbidACall() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let seen = Mutex<[String]>([])
        var options = ChainOptions()
        options.concurrency = 1
        options.beforeCall = { tool, call in
            seen.withLock { $0.append("before \(tool.name) \(call.id)") }
            if call.id == "c1" { throw ToolCallCancelled("User cancelled tool call") }
        }
        options.afterCall = { _, call, result in seen.withLock { $0.append("after \(call.id) \(result.output)") } }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [self.upper], options: options)
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(
            id, calls: [("c1", "upper", #"{"text":"a"}"#), ("c2", "upper", #"{"text":"b"}"#)])
        let results = try await peer.readResults(of: id) + peer.readResults(of: id)
        #expect(
            results.first
                == ToolResult(
                    name: "upper", output: "Cancelled: User cancelled tool call", toolCallID: "c1",
                    exception: "CancelToolCall: User cancelled tool call"))
        await peer.writeEnd(id, text: "end")
        _ = try await completion.value
        #expect(seen.withLock { $0 } == ["before upper c1", "before upper c2", "after c2 B"])
    }

    @Test func aHookThatFailsStopsTheChainOnceItsSiblingsHaveEnded() async throws {
        struct Broken: Error, Equatable {}
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let gate = Gate()
        let tool = Tool(name: "t") { input in
            if input.call.id == "c2" { await gate.pass() }
            return "x"
        }
        var options = ChainOptions()
        options.afterCall = { _, call, _ in if call.id == "c1" { throw Broken() } }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool], options: options)
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", "{}"), ("c2", "t", "{}")])
        await gate.open()
        #expect(try await peer.readResults(of: id).map(\.toolCallID) == ["c2"])
        await #expect(throws: Broken()) { try await completion.value }
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
    }

    // MARK: Pause and resume

    @Test func aPauseStopsTheChainAndGivesItsMessages() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let tool = Tool(name: "t") { input in
            if input.call.id == "c1" { throw ChainPause("needs consent") }
            return "sibling"
        }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool])
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, text: "a", calls: [("c1", "t", "{}"), ("c2", "t", "{}")])
        #expect(try await peer.readResults(of: id).map(\.toolCallID) == ["c2"])
        let result = await completion.result
        let pause = try #require(#expect(throws: ChainPause.self) { try result.get() })
        #expect(pause.reason == "needs consent" && pause.call?.id == "c1")
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
        await peer.write(Answers.error(.number(id), .cancelled, "as you wish"))
        #expect(
            pause.messages == [
                ModelMessage(.user, text: "p"),
                ModelMessage(
                    .assistant,
                    [
                        MessagePart(.text("a")), MessagePart(.toolCall(ToolCall("c1", "t"))),
                        MessagePart(.toolCall(ToolCall("c2", "t"))),
                    ]),
                ModelMessage(
                    .tool, [MessagePart(.toolResult(ToolResult(name: "t", output: "sibling", toolCallID: "c2")))]),
            ])
        #expect(pause.messages.unansweredCalls.map(\.id) == ["c1"])

        // The same tools, of which the one that paused has what it needs now.
        let resumed = client.chain(chain.continuation, tools: [Tool(name: "t") { _ in "allowed" }])
        let end = Task { try await resumed.completion() }
        let (again, request) = try await peer.readChain()
        #expect(request.prompt.prompt == nil && request.prompt.system == nil)
        #expect(try ModelMessage.list(JSONValue(parsing: request.prompt.messages!)) == pause.messages)
        await peer.write(
            json: #"{"id":\#(again),"event":"tool_call","tool_call_id":"c1","name":"t","arguments":{}}"#,
            #"{"id":\#(again),"event":"round","pending":["c1"]}"#)
        #expect(try await peer.readResults(of: again).map(\.output) == ["allowed"])
        await peer.writeEnd(again, 1, text: "done")
        #expect(try await end.value.text == "done")
        #expect(resumed.messages.map(\.role) == [.user, .assistant, .tool, .assistant])
        #expect(resumed.messages[2].parts.map(\.content).map(\.resultID) == ["c2", "c1"])
    }

    @Test func aChainOfAConversationGoesOnInIt() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let chain = client.chain(PromptRequest(prompt: "p", conversation: "c7"), tools: [self.upper])
        let before = chain.continuation
        #expect(before.conversation == "c7" && before.prompt == Array(#""p""#.utf8), "nothing is on record yet")
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "upper", #"{"text":"a"}"#)])
        _ = try await peer.readResults(of: id)
        await peer.write(Answers.error(.number(id), .workerCrashed, "gone"))
        await #expect(throws: ClientError.failure(Failure(.workerCrashed, "gone"))) { try await completion.value }
        let after = chain.continuation
        #expect(after.conversation == "c7" && after.prompt == nil && after.messages == nil)
        #expect(after.toolResults == Array(#"[{"name":"upper","output":"A","tool_call_id":"c1"}]"#.utf8))
    }

    @Test func aDaemonThatDiesLeavesWhatWasSaidAndDone() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [self.upper])
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "upper", #"{"text":"a"}"#)])
        _ = try await peer.readResults(of: id)
        await peer.write(
            json: #"{"id":\#(id),"event":"start","request":"r2","model":"m","provider":"p","chain":"r1","round":2}"#)
        await peer.write(Answers.text(.number(id), "hal"))
        peer.close()
        await #expect(throws: ClientError.daemonGone) { try await completion.value }
        #expect(chain.messages.map(\.role) == [.user, .assistant, .tool], "the round that had not ended is left out")
        #expect(chain.messages.unansweredCalls.isEmpty)
    }

    // MARK: Cancellation

    @Test func cancellingTheTaskCancelsTheChainAndItsTools() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let (started, cancelled) = (Gate(), Gate())
        await started.open()
        let tool = Tool(name: "t") { _ in
            await started.pass()
            do { try await Task.sleep(for: .seconds(3600)) } catch {
                await cancelled.open()
                throw error
            }
            return "never"
        }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool])
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", "{}")])
        await started.arrived(1)
        completion.cancel()
        await #expect(throws: ClientError.cancelled) { try await completion.value }
        await cancelled.pass()
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
        await peer.write(Answers.error(.number(id), .cancelled, "as you wish"))
        async let answered: Duration = client.ping()
        let ping = try #require(try await peer.read())
        #expect(ping.operation == .ping, "no result of a call that was cancelled")
        await peer.write(Answers.done(ping.id))
        _ = try await answered
    }

    @Test func leavingTheLoopCancelsTheChainAndItsTools() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let cancelled = Gate()
        let tool = Tool(name: "t") { _ in
            do { try await Task.sleep(for: .seconds(3600)) } catch { await cancelled.open() }
            return "never"
        }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool])
        let task = Task {
            for try await event in chain {
                if case .round = event { break }
            }
        }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", "{}")])
        try await task.value
        await cancelled.pass()
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
    }

    @Test func anAnswerThatIsNotStreamedIsTheSameChain() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let chain = client.chain(PromptRequest(prompt: "p", stream: false), tools: [self.upper])
        let completion = Task { try await chain.completion() }
        let (id, request) = try await peer.readChain()
        #expect(!request.prompt.stream)
        await peer.write(
            json: #"{"id":\#(id),"event":"start","request":"r1","model":"m","provider":"p","chain":"r1","round":1}"#,
            #"{"id":\#(id),"event":"round","pending":["c1"],"text":"Wait.","tool_calls":[{"tool_call_id":"c1","name":"upper","arguments":{"text":"a"}}],"request":"r1","chain":"r1","round":1}"#
        )
        #expect(try await peer.readResults(of: id).map(\.output) == ["A"])
        await peer.write(json: #"{"id":\#(id),"event":"done","text":"A!","request":"r2","chain":"r1","round":2}"#)
        #expect(try await completion.value.text == "Wait. A!")
        #expect(chain.messages.map(\.text) == ["p", "Wait.", "", "A!"])
    }

    @Test func aResultThatIsTooLongForAFrameIsAnErrorForTheModel() async throws {
        let (daemon, client, peer) = try await self.connect()
        _ = daemon
        let tool = Tool(name: "t") { _ in ToolOutput(String(repeating: "x", count: BulkheadClient.requestBound)) }
        let chain = client.chain(PromptRequest(prompt: "p"), tools: [tool])
        let completion = Task { try await chain.completion() }
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", "{}")])
        let result = try #require(try await peer.readResults(of: id).first)
        #expect(result.output.hasPrefix("Error: the output is too long: "))
        await peer.writeEnd(id, text: "end")
        _ = try await completion.value
        #expect(chain.messages[2].parts.map(\.content) == [.toolResult(result)])
    }
}

extension MessagePart.Content {
    fileprivate var resultID: String? {
        if case .toolResult(let result) = self { result.toolCallID } else { nil }
    }
}
