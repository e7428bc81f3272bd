import Foundation
import Framing
import Messages
import Synchronization

/// A daemon that says what its test tells it to say.
final class FakeDaemon: Sendable {
    let path: String
    private let directory: String
    private let listener: CInt

    init() throws {
        let template = NSTemporaryDirectory() + "/bulkhead-client-XXXXXX"
        var characters = Array(template.utf8CString)
        guard mkdtemp(&characters) != nil else { throw POSIXError(.EIO) }
        self.directory = String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.path = self.directory + "/socket"
        self.listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: self.path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(self.listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, listen(self.listener, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
        Peer.boundWaiting(on: self.listener)
    }

    deinit {
        close(self.listener)
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    /// Stops listening, and leaves the socket's file.
    func stopListening() { shutdown(self.listener, CInt(SHUT_RDWR)) }

    /// Waits for the next client.
    func accept() async throws -> Peer {
        let descriptor = await onThread { Foundation.accept(self.listener, nil, nil) }
        guard descriptor >= 0 else { throw POSIXError(.ECONNABORTED) }
        return Peer(descriptor)
    }
}

/// The daemon's end of a connection.
final class Peer: Sendable {
    private let descriptor: CInt
    private let decoder = Mutex(FrameDecoder(maximumPayloadLength: ProtocolBounds.clientFrame))

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
        Self.boundWaiting(on: descriptor)
    }

    deinit { Foundation.close(self.descriptor) }

    /// No call on the descriptor waits longer than a test should run.
    static func boundWaiting(on descriptor: CInt) {
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Waits for the next request; `nil` at the end of the stream.
    func read() async throws -> ClientRequest? {
        let payload = try await onThread { () -> Result<[UInt8]?, any Error> in
            Result { try self.readPayload() }
        }.get()
        return try payload.map { try ClientRequest(decoding: $0) }
    }

    private func readPayload() throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            if let payload = try self.decoder.withLock({ try $0.next() }) { return Array(payload) }
            let count = recv(self.descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { throw POSIXError(.ETIMEDOUT) }
            guard count > 0 else { return nil }
            self.decoder.withLock { $0.append(buffer[..<count]) }
        }
    }

    /// Writes frames, and waits until the kernel has taken them; `false` where the client is gone.
    @discardableResult
    func write(_ payloads: [UInt8]...) async -> Bool {
        var bytes: [UInt8] = []
        for payload in payloads { FrameEncoder.append(payload, to: &bytes) }
        let frames = bytes
        return await onThread { self.writeAll(frames) }
    }

    func write(json texts: String...) async {
        for text in texts { await self.write(Array(text.utf8)) }
    }

    /// Writes bytes that are no frame.
    func writeRaw(_ bytes: [UInt8]) async { _ = await onThread { self.writeAll(bytes) } }

    private func writeAll(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(self.descriptor, $0.baseAddress! + start, $0.count - start, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            start += count
        }
        return true
    }

    /// Writes copies of `payload` until the kernel takes no more of them for a moment, and returns how many it took whole.
    func flood(_ payload: [UInt8], atMost count: Int) async -> Int {
        let frame = FrameEncoder.encode(payload)
        return await onThread {
            for written in 0..<count {
                var poll = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                guard Foundation.poll(&poll, 1, 500) > 0, self.writeAll(frame) else { return written }
            }
            return count
        }
    }

    func close() { shutdown(self.descriptor, CInt(SHUT_RDWR)) }

}

/// Runs `body`, which may block, on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}

/// Frames as a daemon writes them.
enum Answers {
    static func start(_ id: RequestIdentifier) -> [UInt8] {
        var generator = ULIDGenerator()
        var random = SystemRandomNumberGenerator()
        let request = generator.next(atMilliseconds: 1, using: &random)
        return ClientAnswer.start(id: id, request: request, model: "echo", provider: "echo")
    }

    static func text(_ id: RequestIdentifier, _ text: String) -> [UInt8] {
        let event = JSONObjectText.make([("event", "text"), ("text", text)])
        return ClientAnswer.event(id: id, event)
    }

    static func done(_ id: RequestIdentifier) -> [UInt8] { ClientAnswer.done(id: id) }

    static func error(_ id: RequestIdentifier?, _ code: ErrorCode, _ message: String) -> [UInt8] {
        ClientAnswer.error(id: id, Failure(code, message))
    }
}
