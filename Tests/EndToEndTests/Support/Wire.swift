import Foundation
import Framing
import JSON
import Messages
import Testing

/// A client that speaks the bytes of the protocol and trusts nobody: what a service in another language would do.
///
/// One thread may send while another receives.
final class Wire: @unchecked Sendable {
    let descriptor: Int32
    private var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.answerFrame)
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(_ path: String) throws {
        self.descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw WireError.cannotConnect(errno) }
    }

    deinit { close(self.descriptor) }

    enum WireError: Error, Equatable {
        case cannotConnect(Int32)
        case closed
        case silent
    }

    // MARK: Sending

    func send(_ text: String) throws { try self.sendBytes(FrameEncoder.encode(Array(text.utf8))) }

    func sendBytes(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw WireError.closed }
            start += count
        }
    }

    /// Sends as much as the kernel takes now, and returns how much that was.
    func sendWhatFits(_ bytes: ArraySlice<UInt8>) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return max(0, bytes.withUnsafeBytes { Glibc.send(self.descriptor, $0.baseAddress!, bytes.count, flags) })
    }

    func prompt(
        _ id: Int, _ prompt: String = "hi", model: String? = nil, options: String? = nil, stream: Bool = true,
        timeout: Int? = nil
    ) throws {
        var request = PromptRequest(prompt: prompt, model: model, stream: stream)
        request.options = options.map { Array($0.utf8) }
        request.timeoutMilliseconds = timeout
        try self.sendBytes(
            FrameEncoder.encode(ClientRequest(id: .number(Int64(id)), operation: .prompt(request)).encoded))
    }

    // MARK: Receiving

    /// The next frame; `nil` at the end of the stream.
    func receive(seconds: Int32 = 60) throws -> JSONValue? {
        try self.receivePayload(seconds: seconds).map { try JSONValue(parsing: $0) }
    }

    /// The payload of the next frame; `nil` at the end of the stream.
    func receivePayload(seconds: Int32 = 60) throws -> [UInt8]? {
        while true {
            if let payload = try self.decoder.next() { return Array(payload) }
            guard self.hasInput(milliseconds: seconds * 1000) else { throw WireError.silent }
            let count = read(self.descriptor, &self.buffer, self.buffer.count)
            if count <= 0 { return nil }
            self.decoder.append(self.buffer[..<count])
        }
    }

    func hasInput(milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    /// The next frame, which must come.
    func next(sourceLocation: SourceLocation = #_sourceLocation) throws -> JSONValue {
        try #require(try self.receive(), "the connection closed", sourceLocation: sourceLocation)
    }

    /// Reads to the last frame of request `id`, skipping others; the texts on the way are put together.
    func finish(_ id: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> (text: String, last: JSONValue)
    {
        var text = ""
        while true {
            let frame = try self.next(sourceLocation: sourceLocation)
            guard frame["id"]?.integer == id else { continue }
            switch frame["event"]?.string {
            case "text": text += frame["text"]?.string ?? ""
            case "done", "error": return (text, frame)
            default: break
            }
        }
    }

    /// Reads to the last frames of all these requests, and returns them.
    func finishAll(_ ids: some Sequence<Int>, sourceLocation: SourceLocation = #_sourceLocation) throws -> [Int:
        JSONValue]
    {
        var open = Set(ids)
        var last: [Int: JSONValue] = [:]
        while !open.isEmpty {
            let frame = try self.next(sourceLocation: sourceLocation)
            guard let id = frame["id"]?.integer, ["done", "error"].contains(frame["event"]?.string) else { continue }
            #expect(open.remove(id) != nil, "a second last frame of \(id)", sourceLocation: sourceLocation)
            last[id] = frame
        }
        return last
    }

    /// Reads to the first frame of request `id` with this event.
    @discardableResult
    func await(_ event: String, _ id: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSONValue {
        while true {
            let frame = try self.next(sourceLocation: sourceLocation)
            guard frame["id"]?.integer == id else { continue }
            let found = frame["event"]?.string
            if found == event { return frame }
            if found == "error" || found == "done" {
                Issue.record("\(frame.text()) came instead of \(event)", sourceLocation: sourceLocation)
                throw WireError.closed
            }
        }
    }

    /// What `op: status` answers. A daemon that has no room for the question closes; that throws and records no issue.
    func status() throws -> JSONValue {
        try self.send(#"{"id":-1,"op":"status"}"#)
        while let frame = try self.receive() {
            if frame["id"]?.integer == -1, let status = frame["status"] { return status }
        }
        throw WireError.closed
    }
}

extension JSONValue {
    /// The code of an error frame.
    var errorCode: String? { self["error"]?["code"]?.string }
    var errorMessage: String? { self["error"]?["message"]?.string }
}
