import BlockingChannel
import Foundation
import JSON
import Messages
import Testing

@Suite struct WorkerProcessTests {
    private static func started(_ settings: ProviderSettings) throws -> WorkerProcess {
        let worker = try WorkerProcess(named: settings.name, slots: settings.slots)
        try worker.control.write(WorkerControl.configure(settings).encoded)
        return worker
    }

    private static func prompt(_ number: Int, model: String, options: String = "{}") throws -> [UInt8] {
        SlotRequest.encodePrompt(
            PromptRequest(prompt: "hello", options: try JSONValue(parsing: options)),
            request: ULID("01arz3ndektsv4rrffq69g5fa\(number)")!, model: model, key: nil)
    }

    private static func outcome(_ slot: inout BlockingChannel) throws -> Outcome {
        var frames: [[UInt8]] = []
        while let frame = try slot.read() {
            frames.append(frame)
            let kind = try JSONValue(parsing: frame)["event"]?.string
            if kind == "done" || kind == "error" { break }
        }
        return try Outcome(frames)
    }

    @Test func itSaysHelloServesItsSlotsAnswersPingsAndEndsWithItsSupervisor() throws {
        let worker = try Self.started(ProviderSettings(name: "bounce", kind: .echo, slots: 3))
        guard case .hello(let hello)? = try worker.report() else {
            Issue.record("the first report is no hello")
            return
        }
        #expect(hello.provider == "bounce")
        #expect(hello.slots == 3)
        #expect(hello.version == SoftwareVersion.current)
        #expect(hello.protocolVersion == ProtocolVersion.current)
        #expect(hello.models.map(\.id) == ["echo", "echo-needs-key", "echo-embed"])
        var slot = worker.takeSlot()
        for number in 1...3 {
            try slot.write(Self.prompt(number, model: "echo"))
            #expect(try Self.outcome(&slot).text.contains("\"hello\""))
        }
        try worker.control.write(WorkerControl.ping(number: 4).encoded)
        #expect(try worker.report() == .pong(number: 4))
        let end = worker.abandon()
        #expect(end.code == 0)
    }

    @Test func itIsToldWhatWasSaidBefore() throws {
        let worker = try Self.started(ProviderSettings(name: "bounce", kind: .echo, slots: 1))
        _ = try worker.report()
        var slot = worker.takeSlot()
        let messages = JSONValue.array([
            ModelMessage(.user, text: "one").value, ModelMessage(.assistant, text: "two").value,
        ])
        for (number, history) in [(1, messages.serialized()), (2, nil)] {
            try slot.write(
                SlotRequest.encodePrompt(
                    PromptRequest(prompt: "three"), request: ULID("01arz3ndektsv4rrffq69g5fa\(number)")!, model: "echo",
                    messages: history, key: nil))
        }
        let answer = try JSONValue(parsing: try Self.outcome(&slot).text)
        #expect(answer["previous"]?.text() == #"[{"prompt":"one"}]"#)
        // A slot remembers nothing itself.
        #expect(try JSONValue(parsing: try Self.outcome(&slot).text)["previous"]?.array == [])
    }

    @Test func aHungSlotHoldsUpNeitherPingsNorNeighboursNorTheEnd() throws {
        let worker = try Self.started(ProviderSettings(name: "f", kind: .echoFault, slots: 2))
        _ = try worker.report()
        var hung = worker.takeSlot()
        var neighbour = worker.takeSlot()
        try hung.write(Self.prompt(1, model: "echo-fault", options: #"{"fault":"hang","after_chunks":1}"#))
        _ = try hung.read()
        try hung.write(SlotRequest.encodeCancel(ULID("01arz3ndektsv4rrffq69g5fa1")!))
        try neighbour.write(Self.prompt(2, model: "echo-fault"))
        #expect(try Self.outcome(&neighbour).failure == nil)
        try worker.control.write(WorkerControl.ping(number: 1).encoded)
        #expect(try worker.report() == .pong(number: 1))
        #expect(worker.abandon().code == 0)
    }

    @Test(arguments: [("crash", nil, SIGSEGV), ("exit", 7, 0)])
    func itDiesOfTheFaultsThatAreMeantToKillIt(fault: String, code: CInt?, signal: CInt) throws {
        let worker = try Self.started(ProviderSettings(name: "f", kind: .echoFault, slots: 1))
        _ = try worker.report()
        var slot = worker.takeSlot()
        try slot.write(Self.prompt(1, model: "echo-fault", options: "{\"fault\":\"\(fault)\"}"))
        #expect(try slot.read() == nil)
        let end = worker.waitForEnd()
        #expect(end.code == code)
        #expect(end.signal == signal)
    }

    @Test(arguments: [
        (#"{"op":"ping","number":1}"#, "the first frame is no configuration"),
        ("nonsense", "the configuration cannot be read"),
        (
            #"{"op":"configure","provider":{"name":"p","type":"openai-compatible","slots":1,"models":[],"connect_timeout_ms":1}}"#,
            "base_url"
        ),
        (
            #"{"op":"configure","provider":{"name":"q","type":"echo","slots":1,"models":[],"connect_timeout_ms":1}}"#,
            "is for 'q'"
        ),
        (
            #"{"op":"configure","provider":{"name":"p","type":"echo","slots":9,"models":[],"connect_timeout_ms":1}}"#,
            "descriptor 5 is not open"
        ),
    ])
    func aConfigurationThatCannotBeUsedEndsItWithOneLine(frame: String, reason: String) throws {
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: errors) }
        let worker = try WorkerProcess(named: "p", slots: 1, errors: errors.path)
        try worker.control.write(Array(frame.utf8))
        #expect(worker.waitForEnd().code == 78)
        let line = try String(contentsOf: errors, encoding: .utf8)
        #expect(line.hasPrefix("bulkhead-worker p: "))
        #expect(line.contains(reason), "\(line)")
        #expect(line.split(separator: "\n").count == 1)
    }
}
