/// What a path of the configuration must be.
struct PathRules {
    static let socket = PathRules(maximumLength: ConfigurationBounds.socketPathLength, isDirectory: false)
    static let stateDirectory = PathRules(maximumLength: ConfigurationBounds.stateDirectoryLength, isDirectory: true)

    static let file = PathRules(maximumLength: ConfigurationBounds.stateDirectoryLength, isDirectory: false)

    /// In bytes.
    let maximumLength: Int
    let isDirectory: Bool

    /// Why `path` cannot be used, or `nil`.
    func refusal(of path: String) -> String? {
        if path.isEmpty { return "the path is empty" }
        if path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "the path contains a control character" }
        if !path.hasPrefix("/") { return "the path must be absolute: begin it with '/'" }
        if path.hasSuffix("/") && !self.isDirectory { return "the path must name a file, not a directory" }
        let length = path.utf8.count
        return length > self.maximumLength
            ? "the path has \(length) bytes; at most \(self.maximumLength) are possible" : nil
    }
}
