import Framing
import JSON
import Messages
import Testing

@testable import bulkhead_bench

/// What is sent, and how what comes back is read.
@Suite struct LoadTests {
    @Test func aPromptIsARequestOfTheProtocolAndNoneIsLikeAnother() throws {
        let workload = Workload(
            promptBytes: 300, isStreamed: false, chunks: 5, chunkBytes: 8, model: "echo-fault", directsChunks: true)
        let template = PromptTemplate(workload, run: 7)
        var bytes: [UInt8] = []
        for number in 1...50 { template.append(number: number, id: number % 128, to: &bytes) }
        var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.clientFrame)
        decoder.append(bytes)
        var prompts: Set<[UInt8]> = []
        for number in 1...50 {
            let payload = try #require(try decoder.next())
            let request = try ClientRequest(decoding: Array(payload))
            #expect(request.id == .number(Int64(number % 128)))
            guard case .prompt(let prompt) = request.operation else {
                Issue.record("no prompt")
                return
            }
            let text = try #require(prompt.prompt)
            #expect(text.count == 302, "the quotes are not counted")
            prompts.insert(text)
            #expect(prompt.model == "echo-fault")
            #expect(!prompt.stream)
            #expect(prompt.options == Array(#"{"chunks":5,"chunk_bytes":8}"#.utf8))
        }
        #expect(prompts.count == 50)
        #expect(decoder.isAtFrameBoundary)
    }

    @Test func everyPurposeIsNamedInTurnAndNoModel() throws {
        let template = PromptTemplate(Workload(model: "echo", namesPurposes: true), run: 7)
        var bytes: [UInt8] = []
        for number in 0..<100 { template.append(number: number, id: number, to: &bytes) }
        var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.clientFrame)
        decoder.append(bytes)
        var mandates: [Mandate] = []
        for _ in 0..<100 {
            let request = try ClientRequest(decoding: Array(try #require(try decoder.next())))
            guard case .prompt(let prompt) = request.operation else {
                Issue.record("no prompt")
                return
            }
            #expect(prompt.model == nil)
            mandates.append(prompt.mandate)
        }
        #expect(Set(mandates.map(\.purpose)).count == PolicyLoad.purposes)
        #expect(Set(mandates.map(\.actor)).count == PolicyLoad.purposes)
        #expect(mandates[1] == Mandate(purpose: "purpose-1", actor: "actor-7"))
    }

    @Test func aDifferenceIsTheMedianOfThoseOfTheRounds() {
        let report = PolicyReport([(without: 10, with: 15), (20, 22), (30, 33)])
        #expect(report.difference == 3)
        #expect(report.ratio == 1.1)
    }

    @Test func theShortestPromptHasRoomForMarkAndNumber() throws {
        var bytes: [UInt8] = []
        PromptTemplate(Workload(), run: 1).append(number: 1, id: 0, to: &bytes)
        let request = try ClientRequest(decoding: Array(bytes.dropFirst(4)))
        guard case .prompt(let prompt) = request.operation else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.prompt?.count == PromptTemplate.minimumLength + 2)
    }

    @Test(arguments: [
        (#"{"id":7,"event":"start","request":"r","model":"m","provider":"p"}"#, AnswerFrame.start(id: 7)),
        (#"{"id":12,"event":"text","text":"hello"}"#, .chunk(id: 12)),
        (#"{"id":0,"event":"reasoning","text":""}"#, .chunk(id: 0)),
        (#"{"event":"text","text":"in another order","id":3}"#, .chunk(id: 3)),
        (
            #"{"id":5,"event":"done","usage":{"input":2,"output":9},"request":"r"}"#,
            .done(id: 5, inputTokens: 2, outputTokens: 9)
        ),
        (#"{"id":5,"event":"done"}"#, .done(id: 5, inputTokens: 0, outputTokens: 0)),
        (
            #"{"id":1,"event":"error","error":{"code":"too_many_requests","message":"m","retryable":true}}"#,
            .error(id: 1, code: "too_many_requests")
        ),
        (
            #"{"id":null,"event":"error","error":{"code":"invalid_json","message":"m","retryable":false}}"#,
            .error(id: nil, code: "invalid_json")
        ),
        (#"{"id":1,"event":"later"}"#, .other),
    ])
    func aFrameIsReadForWhatCounts(text: String, expected: AnswerFrame) throws {
        // Not from the start of the array, as a decoder gives it.
        let bytes = Array(("    " + text).utf8)
        #expect(try AnswerFrame(bytes[4...]) == expected)
    }

    @Test(arguments: ["", "{", "[]", #"{"id":"a","event":"text","text":""}"#, #"{"id":1}"#])
    func aFrameThatIsNoAnswerIsAnError(text: String) {
        #expect(throws: MessageError.self) { try AnswerFrame(Array(text.utf8)[...]) }
    }

    @Test(arguments: [true, false])
    func theDaemonIsToldWhetherPromptsGoOnRecord(storesPrompts: Bool) {
        let configuration = DaemonConfiguration(durability: .relaxed, storesPrompts: storesPrompts)
        #expect(configuration.yaml.hasPrefix("log: {durability: relaxed, prompts: \(storesPrompts)}\n"))
    }

    @Test func theUpstreamFindsTheEndOfARequestInWhateverPieces() {
        let request = Array("POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 5\r\nHost: x\r\n\r\nhello".utf8)
        for count in 0..<request.count {
            #expect(UpstreamConnection.requestLength(Array(request[..<count])) == nil)
        }
        #expect(UpstreamConnection.requestLength(request) == request.count)
        #expect(UpstreamConnection.requestLength(request + request) == request.count)
    }

    @Test func theStatusNamesEveryProcess() throws {
        let status = try JSONValue(
            parsing: """
                {"pid":10,"durability":"relaxed","logger":{"state":"ready","pid":11,"backlog_records":3},
                 "providers":[{"name":"echo","state":"ready","pid":12},{"name":"late","state":"starting"}]}
                """)
        let state = try #require(DaemonState(status))
        #expect(state.processes.map(\.name) == ["supervisor", "logger", "worker echo"])
        #expect(state.processes.map(\.pid) == [10, 11, 12])
        #expect(state.waitingRecords == 3)
        #expect(!state.isReady)
    }

    @Test func memoryIsReadFromTheKernelsLines() {
        let lines = "Name:\tx\nVmHWM:\t    5120 kB\nVmRSS:\t    4096 kB\n".split(separator: "\n")
        #expect(ProcessReading.kibibytes("VmRSS", in: lines) == 4_096)
        #expect(ProcessReading.kibibytes("VmHWM", in: lines) == 5_120)
        #expect(ProcessReading.kibibytes("Pss", in: lines) == nil)
    }
}
