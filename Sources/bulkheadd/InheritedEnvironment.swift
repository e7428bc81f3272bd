import CLinux
import Glibc

/// What this process was started with, which may hold keys.
///
/// The kernel shows a process's environment where it lies in memory since its start (/proc/PID/environ), whatever has become of
/// the variables. So it is overwritten there, and kept where the kernel does not look: bulkhead-config is given it each time
/// that the configuration is read.
enum InheritedEnvironment {
    /// Those that this process itself looks at, or the C library does for it.
    private static let needed = [
        "LANG", "LC_ALL", "LC_MESSAGES", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "PATH", "TZ",
    ]

    /// Those that are meant for this process and no child of it.
    private static let own = ["LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET"]

    /// Takes all variables out of the process, but for copies of those that are needed here.
    ///
    /// - Returns: What a child may be given, as `NAME=value`.
    ///
    /// To be called once, before anything else reads the environment.
    static func take() -> [String] {
        var entries: [String] = []
        var next = environ
        while let entry = next.pointee {
            entries.append(String(cString: entry))
            next += 1
        }
        CLinux_erase_environment()
        for entry in entries where Self.needed.contains(Self.name(entry)) {
            setenv(Self.name(entry), String(entry.utf8.dropFirst(Self.name(entry).utf8.count + 1)) ?? "", 1)
        }
        return entries.filter { !Self.own.contains(Self.name($0)) }
    }

    private static func name(_ entry: String) -> String { String(entry.prefix { $0 != "=" }) }
}
