/// Where the file, the socket and the record live when nobody says.
struct DefaultPaths {
    let environment: [String: String]
    let isRoot: Bool

    init(_ surroundings: Surroundings) {
        self.environment = surroundings.environment
        self.isRoot = surroundings.isRoot
    }

    /// `bulkhead.yaml` in `$CONFIGURATION_DIRECTORY`, which systemd sets; `nil` without it.
    var configuration: String? { self.directory("CONFIGURATION_DIRECTORY").map { "\($0)/bulkhead.yaml" } }

    /// `/run/bulkhead.sock` for root, in `$XDG_RUNTIME_DIR` for others; `nil` without one.
    var socket: String? {
        if self.isRoot { return "/run/bulkhead.sock" }
        return self.directory("XDG_RUNTIME_DIR").map { "\($0)/bulkhead.sock" }
    }

    /// `$STATE_DIRECTORY`, `$XDG_STATE_HOME/bulkhead`, `~/.local/state/bulkhead`, for root `/var/lib/bulkhead`; `nil`
    /// without any.
    var state: String? {
        if let directory = self.directory("STATE_DIRECTORY") { return directory }
        if let directory = self.directory("XDG_STATE_HOME") { return "\(directory)/bulkhead" }
        if let directory = self.directory("HOME") { return "\(directory)/.local/state/bulkhead" }
        return self.isRoot ? "/var/lib/bulkhead" : nil
    }

    /// The directory that a variable names, without a slash at its end. As their definitions demand, relative ones are
    /// ignored; of several, separated by colons as systemd does, the first counts.
    private func directory(_ name: String) -> String? {
        guard var path = self.environment[name]?.split(separator: ":").first, path.hasPrefix("/") else { return nil }
        while path.hasSuffix("/") { path = path.dropLast() }
        return path.isEmpty ? nil : String(path)
    }
}
