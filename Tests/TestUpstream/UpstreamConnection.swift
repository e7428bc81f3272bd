import Glibc

/// One connection to the upstream: reads requests, writes scripted responses.
struct UpstreamConnection {
    let descriptor: CInt
    let number: Int
    let isStopped: () -> Bool
    private var buffer: [UInt8] = []

    init(descriptor: CInt, number: Int, isStopped: @escaping () -> Bool) {
        self.descriptor = descriptor
        self.number = number
        self.isStopped = isStopped
    }

    /// Waits for the next request; `nil` when the client has gone.
    mutating func readRequest() -> UpstreamRequest? {
        let separator = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while true {
            headEnd = self.buffer.firstRange(of: separator)?.lowerBound
            if headEnd != nil { break }
            // A client that begins an encrypted connection would wait for its answer for ever.
            guard self.fill(), self.buffer[0] >= UInt8(ascii: "A") else { return nil }
        }
        let lines = String(decoding: self.buffer[..<headEnd!], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (String(parts[0]), String((parts.count > 1 ? parts[1] : "").drop { $0 == " " }))
        }
        let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        let start = headEnd! + separator.count
        while self.buffer.count < start + length {
            guard self.fill() else { return nil }
        }
        let body = Array(self.buffer[start..<start + length])
        self.buffer.removeSubrange(..<(start + length))
        return UpstreamRequest(
            method: String(words[0]), target: String(words[1]), headers: headers, body: body, connection: self.number)
    }

    /// Does what `response` says; `false` when the connection cannot be used any more.
    func write(_ response: UpstreamResponse, to request: UpstreamRequest) -> Bool {
        if case .sendRaw? = response.steps.first {
        } else {
            guard self.send(Array(self.head(of: response).utf8)) else { return false }
        }
        for step in response.steps {
            switch step {
            case .send(let piece): guard self.send(piece, framing: response.framing) else { return false }
            case .sendAgain(let piece, let times):
                for _ in 0..<times { guard self.send(piece, framing: response.framing) else { return false } }
            case .trickle(let piece, let pause):
                for byte in piece {
                    guard self.send([byte], framing: response.framing), self.isWanted(milliseconds: pause) else {
                        return false
                    }
                }
            case .sendRaw(let bytes): guard self.send(bytes) else { return false }
            case .echo: guard self.send(request.body, framing: response.framing) else { return false }
            case .wait(let gate):
                gate.arrive()
                defer { gate.leave() }
                while !gate.isOpen {
                    guard self.isWanted(milliseconds: 2) else { return false }
                }
            case .silence:
                while self.isWanted(milliseconds: 100) {}
                return false
            case .close: return false
            case .reset:
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
                return false
            }
        }
        switch response.framing {
        case .length: return true
        case .chunked: return self.send(Array("0\r\n\r\n".utf8))
        case .untilClose: return false
        }
    }

    private func head(of response: UpstreamResponse) -> String {
        var head = "HTTP/1.1 \(response.status) Scripted\r\n"
        for header in response.headers { head += "\(header.name): \(header.value)\r\n" }
        switch response.framing {
        case .length:
            let length = response.steps.reduce(0) { length, step in
                if case .send(let piece) = step { length + piece.count } else { length }
            }
            head += "content-length: \(length)\r\n"
        case .chunked: head += "transfer-encoding: chunked\r\n"
        case .untilClose: head += "connection: close\r\n"
        }
        return head + "\r\n"
    }

    private func send(_ piece: [UInt8], framing: UpstreamResponse.Framing) -> Bool {
        guard case .chunked = framing else { return self.send(piece) }
        guard !piece.isEmpty else { return true }
        return self.send(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8))
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress! + sent, bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private mutating func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(self.descriptor, &piece, piece.count, 0)
        guard count > 0 else { return false }
        self.buffer += piece[..<count]
        return true
    }

    /// Whether the client is still there and the upstream still runs, after a wait for a change of that.
    private func isWanted(milliseconds: CInt) -> Bool {
        guard !self.isStopped() else { return false }
        var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, milliseconds) > 0 else { return true }
        var byte: UInt8 = 0
        return recv(self.descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) > 0
    }
}
