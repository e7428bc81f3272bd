import BlockingChannel
import Glibc
import LogStore
import Messages

/// The conversation of the reader with one supervisor (proto/reader.md).
///
///     ready ──▶ question ──▶ answer ─┐
///                  ▲                 │
///                  └─────────────────┘      until the channel ends
struct ReaderSession: ~Copyable {
    private var channel: BlockingChannel
    private let reader: LogReader

    init(channel: consuming BlockingChannel, reader: LogReader) {
        self.channel = channel
        self.reader = reader
    }

    /// Returns when the channel has ended, or nobody takes answers any more.
    mutating func run() throws(ProgramError) {
        var reply = ReaderReply.ready(protocolVersion: ProtocolVersion.current, version: SoftwareVersion.current)
        while try self.send(reply), let query = try self.receive() { reply = self.reader.answer(query) }
    }

    private mutating func receive() throws(ProgramError) -> ReaderQuery? {
        let payload: [UInt8]?
        do throws(ChannelError) { payload = try self.channel.read() } catch {
            guard let failure = ProgramError(channel: error) else { return nil }
            throw failure
        }
        guard let payload else { return nil }
        do { return try ReaderQuery(decoding: payload) } catch {
            throw ProgramError(.invalidInput, "the supervisor sent a question that cannot be read: \(error)")
        }
    }

    /// Returns `false` if nobody is at the other end.
    private mutating func send(_ reply: ReaderReply) throws(ProgramError) -> Bool {
        do throws(ChannelError) {
            try self.channel.write(reply.encoded)
            return true
        } catch {
            guard let failure = ProgramError(channel: error) else { return false }
            throw failure
        }
    }
}

extension ProgramError {
    /// `nil` where the other end has only gone away: a supervisor that is killed may leave half a frame, and replies that
    /// it never read.
    fileprivate init?(channel error: ChannelError) {
        switch error {
        case .endInsideFrame, .system(_, errno: EPIPE), .system(_, errno: ECONNRESET): return nil
        case .framing: self.init(.invalidInput, "the supervisor's channel: \(error)")
        case .system: self.init(.inputOutput, "the supervisor's channel: \(error)")
        }
    }
}
