import BlockingChannel
import Glibc
import LogStore
import Messages

/// The conversation with one supervisor (proto/logger.md).
///
///     begin ──▶ ready ──▶ records ──▶ commit ──▶ acknowledged ─┐
///                            ▲                                 │
///                            └─────────────────────────────────┘      until the channel ends
///
/// Whatever ends it, the records that had arrived before are committed first.
struct LoggerSession: ~Copyable {
    /// How much goes into one transaction, at most.
    private static let batchRecords = 2_048
    private static let batchBytes = 4 << 20

    private var channel: BlockingChannel
    private let store: LogStore
    private var batch = RecordBatch(after: 0)
    /// Whether replies reach anyone. When the supervisor has died, what it sent is still to be read.
    private var hasListener = true

    init(channel: consuming BlockingChannel, store: LogStore) {
        self.channel = channel
        self.store = store
    }

    /// Returns when the channel has ended and everything is committed.
    mutating func run() throws(ProgramError) {
        guard try self.begin() else { return }
        while true {
            let ending = self.receive()
            try self.commit()
            switch ending {
            case nil: try self.reply(.acknowledged(sequence: self.store.acknowledged))
            case .endOfChannel: return
            case .failure(let error): throw error
            }
        }
    }

    /// Why no more records will come.
    private enum Ending {
        case endOfChannel
        case failure(ProgramError)

        init(_ error: ChannelError) {
            switch error {
            // A supervisor that is killed may leave half a frame, and replies that it never read: closing a socket that
            // holds unread bytes resets the connection, which the other end is told after the last byte (unix(7)).
            case .endInsideFrame, .system(_, errno: ECONNRESET): self = .endOfChannel
            case .framing: self = .failure(ProgramError(.invalidInput, "the supervisor's channel: \(error)"))
            case .system: self = .failure(ProgramError(.inputOutput, "the supervisor's channel: \(error)"))
            }
        }
    }

    /// Reads the first frame and answers it; `false` if the channel ended before.
    private mutating func begin() throws(ProgramError) -> Bool {
        let payload: [UInt8]?
        do {
            payload = try self.channel.read()
        } catch {
            guard case .failure(let failure) = Ending(error) else { return false }
            throw failure
        }
        guard let payload else { return false }
        guard case .begin(let session, let milliseconds) = try Self.decode(payload) else {
            throw ProgramError(.invalidInput, "the supervisor sent a record before 'begin'")
        }
        let acknowledged: Int
        do { acknowledged = try self.store.begin(session: session, atMilliseconds: milliseconds) } catch {
            throw ProgramError(error)
        }
        self.batch = RecordBatch(after: acknowledged)
        try self.reply(
            .ready(
                protocolVersion: ProtocolVersion.current, version: SoftwareVersion.current, acknowledged: acknowledged))
        return true
    }

    /// Waits for one record, and takes with it what has arrived until then, up to a batch.
    private mutating func receive() -> Ending? {
        var bytes = 0
        do throws(ChannelError) {
            guard var payload = try self.channel.read() else { return .endOfChannel }
            while true {
                bytes += payload.count
                do throws(ProgramError) { try self.take(payload) } catch { return .failure(error) }
                guard self.batch.records.count < Self.batchRecords, bytes < Self.batchBytes,
                    let next = try self.channel.readIfAvailable()
                else { return nil }
                payload = next
            }
        } catch {
            return Ending(error)
        }
    }

    private mutating func take(_ payload: [UInt8]) throws(ProgramError) {
        guard case .record(let sequence, let record) = try Self.decode(payload) else {
            throw ProgramError(.invalidInput, "the supervisor sent 'begin' twice")
        }
        do { try self.batch.append(record, sequence: sequence) } catch {
            throw ProgramError(.invalidInput, "the supervisor's records: \(error)")
        }
    }

    private static func decode(_ payload: [UInt8]) throws(ProgramError) -> LoggerCommand {
        do { return try LoggerCommand(decoding: payload) } catch {
            throw ProgramError(.invalidInput, "the supervisor sent a message that cannot be read: \(error)")
        }
    }

    private mutating func commit() throws(ProgramError) {
        let unmatched: [ULID]
        do { unmatched = try self.store.commit(self.batch) } catch {
            throw ProgramError(
                .inputOutput, "\(error); records that are not committed: \(self.batch.records.count)")
        }
        self.batch.removeAll()
        if let first = unmatched.first {
            LoggerProgram.report(
                "records that fit no row of \(self.store.path) and are left out: \(unmatched.count), the first for request "
                    + "\(first); was the file replaced while the daemon ran?")
        }
    }

    private mutating func reply(_ reply: LoggerReply) throws(ProgramError) {
        guard self.hasListener else { return }
        do {
            try self.channel.write(reply.encoded)
        } catch .system(_, errno: EPIPE), .system(_, errno: ECONNRESET) {
            self.hasListener = false
        } catch {
            throw ProgramError(.inputOutput, "the supervisor's channel: \(error)")
        }
    }
}
