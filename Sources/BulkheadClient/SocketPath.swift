import Glibc

/// Where the daemon listens.
public enum SocketPath {
    /// The environment variable that names the socket.
    public static let variable = "BULKHEAD_SOCKET"
    /// Where a daemon that root started listens.
    public static let system = "/run/bulkhead.sock"

    /// The socket that this process means when it names none.
    public static var current: String {
        Self.resolve(
            environment: { name in getenv(name).map { String(cString: $0) } },
            isRoot: geteuid() == 0,
            exists: { path in access(path, F_OK) == 0 })
    }

    /// `$BULKHEAD_SOCKET`; else, as root, ``system``; else `$XDG_RUNTIME_DIR/bulkhead.sock` if it is there, else
    /// ``system`` if that is there, else the path in the runtime directory again, for the error to name.
    static func resolve(environment: (String) -> String?, isRoot: Bool, exists: (String) -> Bool) -> String {
        if let path = environment(Self.variable), !path.isEmpty { return path }
        guard !isRoot, let directory = environment("XDG_RUNTIME_DIR"), !directory.isEmpty else { return Self.system }
        let own = directory + "/bulkhead.sock"
        return exists(own) || !exists(Self.system) ? own : Self.system
    }
}
