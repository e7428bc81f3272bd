import Glibc

/// The upstream in a process of its own, so that its time can be told from the load's. It ends when this one does: its
/// standard input is a pipe that nobody else holds.
struct UpstreamProcess: ~Copyable {
    let port: UInt16
    private var process: ChildProcess
    private let pipe: CInt

    var pid: CInt { self.process.pid }

    init(chunks: Int, chunkBytes: Int) throws(BenchError) {
        // Sockets, because they can be told to stay here at once (SOCK_CLOEXEC).
        var pair: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw BenchError(errno: errno, "cannot make a pair of sockets")
        }
        defer { close(pair[1]) }
        let arguments = ["upstream", "--chunks", "\(chunks)", "--chunk-bytes", "\(chunkBytes)"]
        do throws(BenchError) {
            let process = try ChildProcess(
                ProgramLocator.own, arguments, input: pair[1], output: pair[1], errors: STDERR_FILENO)
            let port = try Self.readPort(pair[0])
            self = UpstreamProcess(port: port, process: process, pipe: pair[0])
        } catch {
            close(pair[0])
            throw error
        }
    }

    private init(port: UInt16, process: consuming ChildProcess, pipe: CInt) {
        self.port = port
        self.process = process
        self.pipe = pipe
    }

    deinit { close(self.pipe) }

    /// It says where it listens in one line.
    private static func readPort(_ descriptor: CInt) throws(BenchError) -> UInt16 {
        var buffer = [UInt8](repeating: 0, count: 64)
        guard case .bytes(let count) = LocalSocket.receive(into: &buffer, from: descriptor),
            let port = UInt16(String(decoding: buffer[..<max(0, count - 1)], as: UTF8.self))
        else { throw BenchError("the upstream does not start") }
        return port
    }
}
