/// What the command line says, which counts for more than the file.
public struct ConfigurationOverrides: Sendable, Equatable {
    /// An absolute path.
    public var socketPath: String?
    /// An absolute path.
    public var stateDirectory: String?

    /// - Parameter currentDirectory: What relative paths start from.
    public init(socketPath: String? = nil, stateDirectory: String? = nil, currentDirectory: String = "/") {
        self.socketPath = socketPath.map { Self.absolute($0, from: currentDirectory) }
        self.stateDirectory = stateDirectory.map { Self.absolute($0, from: currentDirectory) }
    }

    private static func absolute(_ path: String, from directory: String) -> String {
        guard !path.isEmpty, !path.hasPrefix("/") else { return path }
        var path = path[...]
        while path.hasPrefix("./") { path = path.dropFirst(2).drop { $0 == "/" } }
        return directory.hasSuffix("/") ? directory + path : directory + "/" + path
    }
}
