import Foundation
import Testing

/// The socket of a service manager that is told how a daemon does (sd_notify(3)).
final class NotifyListener {
    private let descriptor: Int32

    /// - Parameter name: As NOTIFY_SOCKET has it: a path, or `@` and an abstract name.
    init(_ name: String) throws {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if name.hasPrefix("@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(self.descriptor, $0, length) }
        }
        try #require(status == 0, "\(name): \(String(cString: strerror(errno)))")
    }

    deinit { close(self.descriptor) }

    /// The lines of the next message, which must come.
    func next(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String] {
        try #require(
            self.message(milliseconds: 60_000), "the service manager was told nothing", sourceLocation: sourceLocation)
    }

    /// The lines of a message that is here already.
    func pending() -> [String]? { self.message(milliseconds: 0) }

    private func message(milliseconds: Int32) -> [String]? {
        var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(self.descriptor, &buffer, buffer.count)
        return String(decoding: buffer[..<max(count, 0)], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
