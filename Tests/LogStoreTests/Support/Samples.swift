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

    static func open(_ request: ULID, provider: String = "local", stream: Bool = true) -> LogRecord {
        .open(
            OpenRecord(
                request: request, atMilliseconds: Self.now, peer: PeerCredentials(uid: 1000, gid: 100, pid: 4242),
                provider: provider, model: "qwen3", stream: stream))
    }

    static func end(
        _ request: ULID, _ state: EndRecord.State = .done, usage: Usage? = Usage(input: 12, output: 7),
        finishReason: String? = "stop", providerRequestID: String? = nil, failure: Failure? = nil
    ) -> LogRecord {
        .end(
            EndRecord(
                request: request, atMilliseconds: Self.now + 900, state: state, durationMilliseconds: 900, usage: usage,
                finishReason: finishReason, providerRequestID: providerRequestID, failure: failure))
    }

    /// An open and an end for each request, as commands numbered from 1.
    static func commands(for requests: [ULID]) -> [LoggerCommand] {
        let records = requests.flatMap { [Self.open($0), Self.end($0)] }
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
