/// What a reading may learn of the machine it runs on: values and functions, so that a test runs on values.
public struct Surroundings {
    public var environment: [String: String]
    /// Whether the service runs as root, which has other default paths.
    public var isRoot: Bool
    /// Of the user the service runs as; counts where the environment has no `HOME`.
    public var homeDirectory: String?
    /// The number of a user, `nil` where there is none of that name.
    public var userID: (String) -> Int?
    /// The number of a user group, `nil` where there is none of that name.
    public var groupID: (String) -> Int?
    /// The file in this state directory that says which models providers have listed (``ListedModels``).
    public var listedModels: (String) -> ConfigurationFile?
    /// The file at a path that may hold keys.
    public var keyFile: (String) -> KeyFile
    /// The encrypted store at a place: what it has under a name.
    public var secretStore: (SecretStorePlace) -> (String) -> StoredSecret
    /// Whether the service could run the program at a path.
    public var isExecutable: (String) -> Bool
    /// The texts of /proc/self/uid_map and gid_map, by path; nothing where there are no such files.
    public var identityMaps: [(path: String, text: String)]

    /// A machine that has an environment, and nothing else.
    public init(
        environment: [String: String], isRoot: Bool, homeDirectory: String? = nil,
        userID: @escaping (String) -> Int? = { _ in nil }, groupID: @escaping (String) -> Int? = { _ in nil },
        listedModels: @escaping (String) -> ConfigurationFile? = { _ in nil },
        keyFile: @escaping (String) -> KeyFile = { _ in .absent },
        secretStore: @escaping (SecretStorePlace) -> (String) -> StoredSecret = { _ in { _ in .absent } },
        isExecutable: @escaping (String) -> Bool = { _ in true },
        identityMaps: [(path: String, text: String)] = []
    ) {
        self.environment = environment
        self.isRoot = isRoot
        self.homeDirectory = homeDirectory
        self.userID = userID
        self.groupID = groupID
        self.listedModels = listedModels
        self.keyFile = keyFile
        self.secretStore = secretStore
        self.isExecutable = isExecutable
        self.identityMaps = identityMaps
    }
}

/// Where the encrypted store is, and what opens it.
public struct SecretStorePlace: Sendable, Equatable {
    /// Empty where a file is only checked, on a machine that has no place for it.
    public var stateDirectory: String
    /// The file that holds the master key, where the configuration names one.
    public var masterKeyFile: String?

    public init(stateDirectory: String, masterKeyFile: String? = nil) {
        self.stateDirectory = stateDirectory
        self.masterKeyFile = masterKeyFile
    }
}

/// What the encrypted store has under a name.
public enum StoredSecret: Sendable, Equatable {
    case absent
    case value(String)
    /// It is there and cannot be used: why, in a sentence without a secret.
    case unusable(String)
}
