import Framing
import Glibc
import Messages

/// The thread of one connection: it alone reads and writes the socket, and blocks in `poll` only.
///
/// It reads while it writes, as the protocol asks of a client, and stops reading while the consumers are behind.
struct ConnectionThread: ~Copyable {
    private let connection: ClientConnection
    private let socket: CInt
    private let wake: CInt
    private let wakeOther: CInt
    private var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.answerFrame)
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var outgoing: ArraySlice<UInt8> = []
    /// The daemon reads no more; what it has sent may still be read.
    private var outgoingIsBroken = false

    private init(connection: ClientConnection, socket: CInt, wake: CInt, wakeOther: CInt) {
        self.connection = connection
        self.socket = socket
        self.wake = wake
        self.wakeOther = wakeOther
    }

    deinit {
        self.connection.threadWillEnd()
        close(self.socket)
        close(self.wake)
        close(self.wakeOther)
    }

    /// Connects on a thread of its own, which then serves the connection until it ends.
    ///
    /// - Parameter bound: What may wait for its consumers, in bytes.
    static func connect(to path: String, bound: Int) async throws(ClientError) -> ClientConnection {
        let result: Result<ClientConnection, ClientError> = await withCheckedContinuation { continuation in
            let status = DetachedThread.start {
                do throws(ClientError) {
                    var thread = try Self.open(path, bound: bound)
                    continuation.resume(returning: .success(thread.connection))
                    thread.run()
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if status != 0 { continuation.resume(returning: .failure(.cannotConnect(path: path, errno: status))) }
        }
        return try result.get()
    }

    private static func open(_ path: String, bound: Int) throws(ClientError) -> ConnectionThread {
        let socket = try UnixSocket.connect(to: path)
        guard let pair = UnixSocket.makeWakePair() else {
            let reason = errno
            close(socket)
            throw .cannotConnect(path: path, errno: reason)
        }
        return ConnectionThread(
            connection: ClientConnection(wakeDescriptor: pair.wakes, bound: bound),
            socket: socket, wake: pair.waits, wakeOther: pair.wakes)
    }

    private mutating func run() {
        do throws(ClientError) {
            while true {
                try self.deliver()
                let wishes = self.connection.takeWishes()
                if wishes.hasEnded { return }
                if !self.outgoingIsBroken { self.outgoing += wishes.outgoing }
                self.flush()
                if self.wait(reading: wishes.reads) { try self.fill() }
            }
        } catch {
            self.connection.end(error)
        }
    }

    /// Hands over the frames that are here, as long as their consumers keep up.
    private mutating func deliver() throws(ClientError) {
        while !self.connection.isPaused {
            let payload: ArraySlice<UInt8>?
            do throws(FramingError) {
                payload = try self.decoder.next()
            } catch {
                switch error {
                case .payloadTooLong(let length): throw .protocolViolation("a frame of \(length) bytes")
                }
            }
            guard let payload else { return }
            try self.connection.receive(Array(payload))
        }
    }

    /// Sends what the kernel takes.
    private mutating func flush() {
        while !self.outgoing.isEmpty {
            do {
                guard let count = try UnixSocket.send(self.outgoing, to: self.socket) else { return }
                self.outgoing.removeFirst(count)
            } catch {
                self.outgoing = []
                self.outgoingIsBroken = true
            }
        }
        self.outgoing = []
    }

    /// Waits until there is something to do, and returns whether the socket is to be read.
    private func wait(reading: Bool) -> Bool {
        let events = (reading ? POLLIN : 0) | (self.outgoing.isEmpty ? 0 : POLLOUT)
        // The end of the stream is reported even to those who do not ask: a socket nobody wants is left out.
        var polls = [
            pollfd(fd: self.wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: events == 0 ? -1 : self.socket, events: Int16(events), revents: 0),
        ]
        guard poll(&polls, nfds_t(polls.count), -1) > 0 else { return false }
        if polls[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 256)
            while recv(self.wake, &bytes, bytes.count, 0) > 0 {}
        }
        return reading && polls[1].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0
    }

    /// Reads once.
    private mutating func fill() throws(ClientError) {
        let hasEnded: Bool
        do throws(UnixSocket.SystemError) {
            guard let count = try UnixSocket.receive(into: &self.buffer, from: self.socket) else { return }
            self.decoder.append(self.buffer[..<count])
            hasEnded = count == 0
        } catch {
            hasEnded = true
        }
        if hasEnded { throw .daemonGone }
    }
}
