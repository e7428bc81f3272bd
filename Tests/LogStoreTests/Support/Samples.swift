import JSON
import LogStore
import Messages

/// Names and records as a supervisor makes them.
enum Samples {
    /// Milliseconds since 1970 at which the samples happen.
    static let now = 1_790_000_000_000

    static func ulids(_ count: Int) -> [ULID] {
        var generator = ULIDGenerator()
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in generator.next(atMilliseconds: UInt64(Self.now), using: &random) }
    }

    static func ulid() -> ULID { Self.ulids(1)[0] }

    static func open(
        _ request: ULID, provider: String = "local", stream: Bool = true, content: PromptContent? = nil
    ) -> LogRecord {
        .open(
            OpenRecord(
                request: request, atMilliseconds: Self.now, peer: PeerCredentials(uid: 1000, gid: 100, pid: 4242),
                provider: provider, model: "echo", stream: stream, content: content))
    }

    static func end(
        _ request: ULID, _ state: EndRecord.State = .done, usage: Usage? = Usage(input: 12, output: 7),
        finishReason: String? = "stop", providerRequestID: String? = nil, failure: Failure? = nil,
        output: [SlotEvent]? = nil, resolvedModel: String? = nil
    ) -> LogRecord {
        .end(
            EndRecord(
                request: request, atMilliseconds: Self.now + 900, state: state, durationMilliseconds: 900, usage: usage,
                finishReason: finishReason, providerRequestID: providerRequestID, failure: failure,
                output: output.map(Self.events), resolvedModel: resolvedModel))
    }

    /// An open whose prompt is stored; it begins a conversation of its own unless told otherwise.
    static func prompt(
        _ request: ULID, _ text: String?, system: String? = nil, options: String? = nil, conversation: ULID? = nil,
        parent: String? = nil
    ) -> LogRecord {
        Self.open(
            request,
            content: PromptContent(
                conversation: (conversation ?? request).description, parent: parent,
                prompt: text.map { JSONValue.string($0).serialized() },
                system: system.map { JSONValue.string($0).serialized() }, options: options.map { Array($0.utf8) }))
    }

    /// An open with any content; texts are JSON.
    static func prompt(
        _ request: ULID, conversation: ULID? = nil, parent: String? = nil, _ change: (inout PromptContent) -> Void
    ) -> LogRecord {
        var content = PromptContent(conversation: (conversation ?? request).description, parent: parent)
        change(&content)
        return Self.open(request, content: content)
    }

    static func output(_ request: ULID, _ events: SlotEvent...) -> LogRecord {
        .output(OutputRecord(request: request, output: Self.events(events)))
    }

    private static func events(_ events: [SlotEvent]) -> [UInt8] {
        Array("[".utf8) + events.map(\.encoded).joined(separator: [UInt8(ascii: ",")]) + Array("]".utf8)
    }

    /// A prompt and its answer for each request, as commands numbered from 1.
    static func commands(for requests: [ULID]) -> [LoggerCommand] {
        let records = requests.flatMap { request in
            [Self.prompt(request, "ask \(request)"), Self.end(request, output: [.text("answer \(request)")])]
        }
        return records.enumerated().map { .record(sequence: $0.offset + 1, $0.element) }
    }
}

extension LogStore {
    /// Commits `records` under the next sequence numbers.
    @discardableResult
    func commit(_ records: LogRecord...) throws -> [ULID] {
        var batch = RecordBatch(after: self.acknowledged)
        for record in records { try batch.append(record, sequence: batch.lastSequence + 1) }
        return try self.commit(batch)
    }
}
