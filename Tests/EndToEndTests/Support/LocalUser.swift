import Foundation
import Testing

/// A user of the machine, by its numbers: to the kernel it needs no name. Only root may be one.
struct LocalUser: CustomTestStringConvertible {
    let uid: UInt32
    let gid: UInt32
    var groups: [UInt32] = []

    var testDescription: String { "uid \(self.uid), gid \(self.gid), groups \(self.groups)" }

    static let isPossible = getuid() == 0 && LocalUser.canChange
    static let reason: Comment = "needs root: it becomes other users"

    /// In a user namespace only a few numbers are anybody.
    private static var canChange: Bool {
        (try? LocalUser(uid: 61_001, gid: 61_001, groups: [61_777]).perform {}) != nil
    }

    /// Runs `body` as this user, in this thread alone: whoever connects meanwhile is this user to the kernel.
    ///
    /// The functions of the C library change all threads, and so the tests beside; the system calls change the thread that makes
    /// them (setresuid(2), "C library/kernel differences"). `syscall` is found by name because Swift calls no variadic function.
    func perform<Result>(_ body: () throws -> Result) throws -> Result {
        let before = try Self.currentGroups()
        try Self.call(Self.setgroups, self.groups.count, self.groups)
        defer { try? Self.call(Self.setgroups, before.count, before) }
        try Self.call(Self.setresgid, -1, Int(self.gid), -1)
        defer { try? Self.call(Self.setresgid, -1, 0, -1) }
        try Self.call(Self.setresuid, -1, Int(self.uid), -1)
        // In the reverse order: only root may change groups.
        defer { try? Self.call(Self.setresuid, -1, 0, -1) }
        return try body()
    }

    /// A connection that this user has made. It stays this user's, whoever uses it.
    func connect(_ daemon: Daemon) throws -> Wire {
        chmod(daemon.directory.path, 0o755)
        return try self.perform { try Wire(daemon.socket) }
    }

    /// The command that runs a program as this user (setpriv(1)).
    func command(_ program: String, _ arguments: [String]) -> [String] {
        let groups =
            self.groups.isEmpty ? "--clear-groups" : "--groups=" + self.groups.map(String.init).joined(separator: ",")
        return ["/usr/bin/setpriv", "--reuid=\(self.uid)", "--regid=\(self.gid)", groups, program] + arguments
    }

    static let hasCommand = LocalUser.isPossible && access("/usr/bin/setpriv", X_OK) == 0

    // MARK: System calls

    private struct CannotChangeUser: Error {}

    #if arch(x86_64)
        private static let (setgroups, setresgid, setresuid) = (116, 119, 117)
    #else
        private static let (setgroups, setresgid, setresuid) = (159, 149, 147)
    #endif

    private static func currentGroups() throws -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: 65_536)
        let count = getgroups(Int32(groups.count), &groups)
        guard count >= 0 else { throw CannotChangeUser() }
        return Array(groups.prefix(Int(count)))
    }

    private static func call(_ number: Int, _ first: Int, _ second: Int, _ third: Int) throws {
        typealias Syscall = @convention(c) (Int, Int, Int, Int) -> Int
        guard let symbol = dlsym(nil, "syscall"),
            unsafeBitCast(symbol, to: Syscall.self)(number, first, second, third) == 0
        else { throw CannotChangeUser() }
    }

    private static func call(_ number: Int, _ count: Int, _ list: [UInt32]) throws {
        typealias Syscall = @convention(c) (Int, Int, UnsafePointer<UInt32>) -> Int
        guard let symbol = dlsym(nil, "syscall"), unsafeBitCast(symbol, to: Syscall.self)(number, count, list) == 0
        else { throw CannotChangeUser() }
    }
}
