import Glibc
import Testing

@testable import Libuv

/// Two connected sockets, both on the loop or one of them ours.
enum SocketPair {
    static func descriptors() throws -> (CInt, CInt) {
        var ends: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// A pipe of the loop, and the descriptor at its other end.
    static func pipe(on loop: Loop) throws -> (Pipe, CInt) {
        let (first, second) = try Self.descriptors()
        let pipe = try Pipe(on: loop)
        try pipe.open(descriptor: first)
        return (pipe, second)
    }

    static func pipes(on loop: Loop) throws -> (Pipe, Pipe) {
        let (pipe, descriptor) = try Self.pipe(on: loop)
        let other = try Pipe(on: loop)
        try other.open(descriptor: descriptor)
        return (pipe, other)
    }
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    guard let directory = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
}

extension Loop {
    /// Runs until `condition` holds; fails after some seconds.
    func run(until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
        var isLate = false
        let alarm = try Timer(on: self)
        alarm.start(afterMilliseconds: 20_000) {
            isLate = true
            self.stop()
        }
        let tick = try Timer(on: self)
        while !condition(), !isLate {
            tick.start(afterMilliseconds: 1) { self.stop() }
            self.run()
        }
        alarm.close()
        tick.close()
        #expect(!isLate, "it did not happen", sourceLocation: sourceLocation)
    }
}
