import Framing
import Glibc
import JSON
import Messages

/// A connection that asks one thing after the other and waits for each answer.
struct ControlConnection: ~Copyable {
    private static let timeoutSeconds = 30

    private let descriptor: CInt
    private var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.answerFrame)
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(to socket: String) throws(BenchError) {
        self.descriptor = try LocalSocket.connect(to: socket)
        var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        setsockopt(
            self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(self.descriptor) }

    /// Asks, and returns the `done` that ends the answer.
    @discardableResult
    mutating func ask(_ operation: ClientRequest.Operation) throws(BenchError) -> ClientEvent.Completion {
        let request = FrameEncoder.encode(ClientRequest(id: .number(0), operation: operation).encoded)
        guard LocalSocket.send(request[...], to: self.descriptor) == .bytes(request.count) else {
            throw BenchError("the daemon does not take a request")
        }
        while true {
            switch try self.next() {
            case .done(let completion): return completion
            case .error(let failure, _, _): throw BenchError("\(failure.code.rawValue): \(failure.message)")
            case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown: break
            }
        }
    }

    mutating func status() throws(BenchError) -> DaemonState {
        guard let state = DaemonState(try self.ask(.status).status ?? .null) else {
            throw BenchError("the daemon's status cannot be read")
        }
        return state
    }

    private mutating func next() throws(BenchError) -> ClientEvent.Event {
        while true {
            do {
                if let payload = try self.decoder.next() { return try ClientEvent(decoding: Array(payload)).event }
            } catch {
                throw BenchError("the daemon's answer cannot be read: \(error)")
            }
            switch LocalSocket.receive(into: &self.buffer, from: self.descriptor) {
            case .bytes(let count): self.decoder.append(self.buffer[..<count])
            case .wait: throw BenchError("no answer from the daemon for \(Self.timeoutSeconds) s")
            case .ended: throw BenchError("the daemon closed the connection")
            }
        }
    }
}

/// What of `op: status` the measurement needs.
struct DaemonState: Equatable {
    /// The processes of the daemon that run, with what they do.
    let processes: [DaemonProcess]
    let durability: String
    /// Records that the logger has not acknowledged.
    let waitingRecords: Int
    /// Whether the logger and every worker have said that they are ready.
    let isReady: Bool

    init?(_ status: JSONValue) {
        guard let pid = status["pid"]?.integer, let logger = status["logger"],
            let providers = status["providers"]?.array,
            let durability = status["durability"]?.string, let waiting = logger["backlog_records"]?.integer
        else { return nil }
        var processes = [DaemonProcess(name: "supervisor", pid: CInt(pid))]
        if let pid = logger["pid"]?.integer { processes.append(DaemonProcess(name: "logger", pid: CInt(pid))) }
        for provider in providers {
            guard let pid = provider["pid"]?.integer, let name = provider["name"]?.string else { continue }
            processes.append(DaemonProcess(name: "worker \(name)", pid: CInt(pid)))
        }
        self.processes = processes
        self.durability = durability
        self.waitingRecords = waiting
        self.isReady = ([logger] + providers).allSatisfy { $0["state"]?.string == "ready" }
    }
}

struct DaemonProcess: Equatable {
    let name: String
    let pid: CInt
}
