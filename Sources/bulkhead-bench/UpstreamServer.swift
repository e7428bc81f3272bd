import Glibc

/// A provider of chat completions that costs as little as one can: one thread, fixed answers, connections that stay open.
struct UpstreamServer: ~Copyable {
    let port: UInt16
    private let listener: CInt
    private let answer: UpstreamAnswer
    private var connections: [UpstreamConnection] = []
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(_ answer: UpstreamAnswer) throws(BenchError) {
        self.answer = answer
        (self.listener, self.port) = try LocalSocket.listenOnLoopback()
    }

    /// Serves until standard input ends.
    mutating func run() {
        while true {
            var polls = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.listener, events: Int16(POLLIN), revents: 0),
            ]
            polls += self.connections.map { connection in
                let events = connection.isSending ? POLLOUT : POLLIN
                return pollfd(fd: connection.descriptor, events: Int16(events), revents: 0)
            }
            guard poll(&polls, nfds_t(polls.count), -1) > 0 else { continue }
            if polls[0].revents != 0 { return }
            for index in self.connections.indices where polls[index + 2].revents != 0 {
                if self.connections[index].isSending {
                    self.connections[index].flush()
                } else {
                    self.connections[index].read(&self.buffer)
                }
            }
            self.connections.removeAll { connection in
                if connection.hasEnded { close(connection.descriptor) }
                return connection.hasEnded
            }
            if polls[1].revents != 0 { self.accept() }
        }
    }

    private mutating func accept() {
        while true {
            let descriptor = Glibc.accept(self.listener, nil, nil)
            guard descriptor >= 0 else { return }
            LocalSocket.setNonBlocking(descriptor)
            var one: CInt = 1
            setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
            self.connections.append(UpstreamConnection(descriptor: descriptor, answer: self.answer))
        }
    }
}
