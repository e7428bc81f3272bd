import BlockingChannel
import Framing
import JSON
import Messages
import TestUpstream
import Testing

@Suite struct SlotTests {
    private static let path = "/v1/chat/completions"
    private static func delta(_ text: String) -> String { #"{"choices":[{"delta":{"content":"\#(text)"}}]}"# }
    private static let end = #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#

    private static func peer(_ upstream: TestUpstream) -> SlotPeer {
        SlotPeer(OpenAICompatibleTests.settings(upstream.url("/v1")))
    }

    private static func faultPeer() -> SlotPeer { SlotPeer(ProviderSettings(name: "f", kind: .echoFault)) }

    @Test func anAnswerStreamsWhileTheUpstreamStillSendsAndConnectionsAreKept() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        let peer = Self.peer(upstream)
        for number in 1...3 {
            let gate = UpstreamGate()
            upstream.script(
                Self.path,
                .events(
                    [Self.delta("a")], headers: [("x-request-id", "req_\(number)")],
                    then: [.wait(gate), .event(Self.delta("b")), .event(Self.end), .event("[DONE]")]))
            try peer.prompt(number)
            #expect(try peer.frame() == Array(#"{"event":"text","text":"a"}"#.utf8))
            #expect(gate.awaitWaiting())
            gate.open()
            let rest = try peer.outcome()
            #expect(rest.text == "b")
            #expect(rest.providerRequestID == "req_\(number)")
            #expect(rest.finishReason == "stop")
        }
        #expect(upstream.acceptedConnections == 1)
        #expect(upstream.requests.allSatisfy { $0.header("authorization") == "Bearer sk-1" })
        #expect(peer.close())
    }

    @Test func aCancelReachesASlotWhoseUpstreamIsSilent() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script(Self.path, .events([Self.delta("a")], then: [.silence]))
        let peer = Self.peer(upstream)
        try peer.prompt(1)
        #expect(try peer.frame() != nil)
        try peer.cancel(9)
        try peer.cancel(1)
        #expect(try peer.outcome().failure?.code == .cancelled)
        #expect(upstream.awaitOpenConnections(atMost: 0))

        upstream.script(Self.path, .events([Self.delta("b"), Self.end]))
        try peer.cancel(1)
        try peer.prompt(2)
        #expect(try peer.outcome().text == "b", "a stale cancel ends nothing")
        #expect(peer.close())
    }

    @Test func aSlotThatIsClosedEndsItsRequestAndItsThread() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script(Self.path, UpstreamResponse(steps: [.sendRaw([]), .silence]))
        let peer = Self.peer(upstream)
        try peer.prompt(1)
        #expect(upstream.awaitRequests(1))
        #expect(peer.close())
        #expect(upstream.awaitOpenConnections(atMost: 0))
    }

    @Test func theUpstreamsErrorsReachTheLastFrame() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        let peer = Self.peer(upstream)
        func outcome(_ response: UpstreamResponse) throws -> Outcome {
            upstream.script(Self.path, response)
            try peer.prompt(1)
            return try peer.outcome()
        }
        let limited = try outcome(
            .json(
                #"{"error":{"message":"slow down"}}"#, status: 429,
                headers: [("Retry-After", "3"), ("request-id", "r7")]))
        #expect(
            limited.failure
                == Failure(
                    .providerRateLimited, "HTTP 429: slow down", retryAfterMilliseconds: 3000, providerRequestID: "r7"))
        let reset = try outcome(.events([Self.delta("a")], then: [.reset]))
        #expect(reset.failure?.code == .providerInvalidResponse)
        let closed = try outcome(.events([Self.delta("a")], then: [.close]))
        #expect((closed.failure?.code, closed.text) == (.providerInvalidResponse, "a"))
        let half = UpstreamResponse(
            headers: [("content-type", "text/event-stream")], framing: .untilClose,
            steps: [.event(Self.delta("a")), .send(Array(#"data: {"choices":[{"del"#.utf8))])
        #expect(try outcome(half).failure?.code == .providerInvalidResponse)
        let moved = try outcome(.json("{}", status: 302, headers: [("Location", "http://127.0.0.1:1/")]))
        #expect(moved.failure?.code == .providerRejected)
        #expect(moved.failure?.message.contains("302") == true)
        #expect(try outcome(.json("{}", status: 503)).failure?.code == .providerError)
        #expect(peer.close())
    }

    @Test func nobodyListeningIsAnErrorThatNamesNoKey() throws {
        let upstream = try TestUpstream()
        upstream.stop()
        let peer = Self.peer(upstream)
        try peer.prompt(1)
        let failure = try #require(try peer.outcome().failure)
        #expect(failure.code == .providerUnreachable)
        #expect(!failure.message.contains("sk-1"))
        #expect(peer.close())
    }

    @Test func aSupervisorThatDoesNotReadHoldsTheUpstreamBack() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        let piece = UpstreamResponse.Step.event(Self.delta(String(repeating: "y", count: 10_000)))
        let (count, gate) = (2000, UpstreamGate())
        upstream.script(
            Self.path,
            .events([], then: .init(repeating: piece, count: count) + [.wait(gate), .event(Self.end)]))
        let peer = Self.peer(upstream)
        try peer.prompt(1)
        #expect(upstream.awaitRequests(1))
        #expect(try peer.frame() != nil)
        // 20 MB do not fit what lies between: the upstream cannot have reached the gate.
        #expect(!gate.hasWaiting)
        gate.open()
        #expect(try peer.outcome().text.utf8.count == (count - 1) * 10_000)
        #expect(peer.close())
    }

    @Test func aRequestThatCannotBeReadIsRefusedAndTheSlotServesOn() throws {
        let peer = Self.faultPeer()
        try peer.write(Array(#"{"op":"prompt","request":"01arz3ndektsv4rrffq69g5fa1"}"#.utf8))
        #expect(try peer.outcome().failure?.code == .modelError)
        try peer.prompt(2, model: "echo-fault")
        #expect(try peer.outcome().text == "0 ..............")
        #expect(peer.close())
    }

    // MARK: echo-fault

    @Test func theFaultyProviderAnswersAsItIsTold() throws {
        let peer = Self.faultPeer()
        try peer.prompt(
            1, "a b c", model: "echo-fault", options: #"{"chunks":3,"chunk_bytes":"5","delay_ms":1,"interval_ms":1}"#)
        let answer = try peer.outcome()
        #expect(answer.text == "0 ...1 ...2 ...")
        #expect(answer.usage == Usage(input: 3, output: 3))
        try peer.prompt(2, model: "echo-fault", options: #"{"fault":"error","after_chunks":1,"chunks":2}"#)
        #expect(try peer.outcome().events == ["text", "error"])
        for options in [#"{"chunks":-1}"#, #"{"fault":"none"}"#, #"{"chunk":1}"#] {
            try peer.prompt(3, model: "echo-fault", options: options)
            #expect(try peer.outcome().failure?.code == .invalidOptions)
        }
        #expect(peer.close())
    }

    @Test(arguments: ["silent", "flood"])
    func aFaultThatWaitsForACancelEndsWithIt(fault: String) throws {
        let peer = Self.faultPeer()
        try peer.prompt(1, model: "echo-fault", options: "{\"fault\":\"\(fault)\",\"after_chunks\":1}")
        #expect(try peer.frame() != nil)
        try peer.cancel(1)
        #expect(try peer.outcome().failure?.code == .cancelled)
        #expect(peer.close())
    }

    @Test func aLongWaitEndsWithACancel() throws {
        let peer = Self.faultPeer()
        try peer.prompt(1, model: "echo-fault", options: #"{"delay_ms":1000000000}"#)
        try peer.cancel(1)
        #expect(try peer.outcome().failure?.code == .cancelled)
        #expect(peer.close())
    }

    @Test(arguments: ["bad_json", "unknown_event", "forged_code", "long_event"])
    func aLieIsAFrameThatTheSupervisorCondemns(fault: String) throws {
        let peer = Self.faultPeer()
        try peer.prompt(1, model: "echo-fault", options: "{\"fault\":\"\(fault)\"}")
        let frame = try #require(try peer.frame())
        #expect(throws: MessageError.self) { try SlotEventEnvelope(decoding: frame) }
        #expect(peer.close())
    }

    @Test(arguments: [("garbage", 0xFFFF_FFFF), ("huge_frame", 0x4000_0000)])
    func aLieBelowTheFramesBreaksTheFraming(fault: String, length: Int) throws {
        let peer = Self.faultPeer()
        try peer.prompt(1, model: "echo-fault", options: "{\"fault\":\"\(fault)\"}")
        #expect(throws: ChannelError.framing(.payloadTooLong(length))) { try peer.frame() }
        #expect(peer.close())
    }

    @Test(arguments: [("two_lasts", ["done", "text", "done"]), ("after_last", ["done", "text", "text", "done"])])
    func tooMuchIsSaidAroundTheLastFrame(fault: String, events: [String]) throws {
        let peer = Self.faultPeer()
        try peer.prompt(1, model: "echo-fault", options: "{\"fault\":\"\(fault)\"}")
        for event in events {
            let frame = try #require(try peer.frame())
            #expect(try JSONValue(parsing: frame)["event"]?.string == event)
        }
        #expect(peer.close())
    }
}
