import Glibc
import Testing

@testable import Libuv

@Suite(.serialized) struct PipeTests {
    private static func bytes(_ span: RawSpan) -> [UInt8] { span.withUnsafeBytes { Array($0) } }

    @Test func whatIsWrittenIsReadThoughItIsLargerThanEveryBuffer() throws {
        let loop = try Loop()
        let (left, right) = try SocketPair.pipes(on: loop)
        let sent = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var received: [UInt8] = []
        var writes: [UVError?] = []
        var end: UVError?
        try right.startReading({ received += Self.bytes($0) }, onEnd: { end = $0 })
        try left.write(sent[...]) { error in
            writes.append(error)
            left.close()
        }
        try loop.run(until: { end != nil })
        #expect(writes == [nil])
        #expect(end == .endOfFile)
        #expect(received == sent)
        right.close()
        loop.run()
    }

    @Test func aPausedPipeReadsNothingAndLosesNothing() throws {
        let loop = try Loop()
        let (pipe, descriptor) = try SocketPair.pipe(on: loop)
        var received: [UInt8] = []
        var hasEnded = false
        try pipe.startReading({ received += Self.bytes($0) }, onEnd: { _ in hasEnded = true })
        try #require(write(descriptor, "one", 3) == 3)
        try loop.run(until: { received.count == 3 })
        pipe.pauseReading()
        try #require(write(descriptor, "two", 3) == 3)
        close(descriptor)
        let timer = try Timer(on: loop)
        timer.start(afterMilliseconds: 20) { timer.close() }
        loop.run()
        #expect(received == Array("one".utf8))
        #expect(!hasEnded)
        try pipe.resumeReading()
        try pipe.resumeReading()
        try loop.run(until: { hasEnded })
        #expect(received == Array("onetwo".utf8))
        pipe.close()
        loop.run()
    }

    @Test func aTryTakesWhatTheKernelTakesAndNoMore() throws {
        // As every program of ours does: a write to the dead is an error, not a signal.
        signal(SIGPIPE, SIG_IGN)
        let loop = try Loop()
        let (pipe, descriptor) = try SocketPair.pipe(on: loop)
        let block = [UInt8](repeating: 7, count: 100_000)
        var taken = 0
        var last = -1
        while last != 0 {
            last = try pipe.tryWrite(block[...])
            taken += last
            try #require(taken < 100_000_000)
        }
        #expect(taken > 0)
        var buffer = [UInt8](repeating: 0, count: taken + 1)
        var count = 0
        while count < taken { count += read(descriptor, &buffer[count], buffer.count - count) }
        #expect(count == taken)
        #expect(try pipe.tryWrite(block[...]) > 0)
        close(descriptor)
        #expect(throws: UVError.self) { _ = try pipe.tryWrite(block[...]) }
        pipe.close()
        loop.run()
    }

    @Test func nothingIsWrittenWithoutComplaint() throws {
        let loop = try Loop()
        let (left, right) = try SocketPair.pipes(on: loop)
        #expect(try left.tryWrite([]) == 0)
        var writes: [UVError?] = []
        try left.write([]) { writes.append($0) }
        try loop.run(until: { writes.count == 1 })
        #expect(writes == [nil])
        left.close()
        right.close()
        loop.run()
    }

    @Test func aListenerAcceptsAllWhoWait() throws {
        let loop = try Loop()
        let path = "/tmp/libuv-tests-\(getpid()).sock"
        unlink(path)
        defer { unlink(path) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        let server = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        try #require(withAddress { bind(server, $0, $1) } == 0)
        let listener = try Pipe(on: loop)
        try listener.open(descriptor: server)
        var accepted: [Pipe] = []
        try listener.listen(backlog: 16) { error in
            #expect(error == nil)
            guard let client = try? Pipe(on: loop), (try? listener.accept(into: client)) != nil else {
                Issue.record("not accepted")
                return
            }
            accepted.append(client)
        }
        var clients: [CInt] = []
        for _ in 0..<5 {
            let client = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            try #require(withAddress { connect(client, $0, $1) } == 0)
            clients.append(client)
        }
        try loop.run(until: { accepted.count == 5 })
        var heard = 0
        for pipe in accepted { try pipe.startReading({ heard += $0.byteCount }, onEnd: { _ in }) }
        for client in clients { try #require(write(client, "x", 1) == 1) }
        try loop.run(until: { heard == 5 })
        #expect(Set(try accepted.map { try $0.descriptor }).count == 5)
        for client in clients { close(client) }
        for pipe in accepted + [listener] { pipe.close() }
        loop.run()
    }
}
