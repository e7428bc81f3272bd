import Glibc
public import Messages

/// The secrets of a state directory, encrypted.
///
/// Two files, each replaced whole: `secrets.json` holds the records, and `master.key`, or a systemd credential in its place,
/// the keys to them (docs/secrets.md).
public struct SecretStore {
    public static let fileName = "secrets.json"
    public static let defaultKeyFileName = "master.key"

    let directory: String
    let keyFile: String
    let millisecondsSince1970: () -> Int
    private let credentialsDirectory: String?
    private let calls: any FileCalls

    var file: PrivateFile { PrivateFile(path: "\(self.directory)/\(Self.fileName)", calls: self.calls) }

    /// - Parameters:
    ///   - masterKeyFile: `nil` is `master.key` in the state directory.
    ///   - credentialsDirectory: `$CREDENTIALS_DIRECTORY`.
    public init(
        stateDirectory: String, masterKeyFile: String? = nil, credentialsDirectory: String? = nil,
        calls: any FileCalls = SystemFiles(), millisecondsSince1970: @escaping () -> Int = Self.now
    ) {
        self.directory = stateDirectory
        self.keyFile = masterKeyFile ?? "\(stateDirectory)/\(Self.defaultKeyFileName)"
        self.credentialsDirectory = credentialsDirectory
        self.calls = calls
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// The wall clock, in milliseconds since 1970.
    public static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// The secrets as they are now, for looking up keys.
    public func load() -> StoredSecrets {
        do throws(FileFault) {
            guard let lock = try DirectoryLock.acquire(.shared, self.directory) else { return StoredSecrets() }
            defer { withExtendedLifetime(lock) {} }
            let table = try self.table()
            guard !table.isEmpty else { return StoredSecrets() }
            let (ring, problem) = self.ringForReading
            return StoredSecrets(table, ring, keyProblem: problem)
        } catch {
            return StoredSecrets(problem: error.description)
        }
    }

    /// Does what an administrator asks.
    ///
    /// - Throws: Why it cannot be done. Then nothing has changed, or a rotation has begun, which the next one completes.
    public func perform(_ action: SecretsAction) throws(Failure) -> SecretsAnswer {
        let lock = try self.filed { () throws(FileFault) in
            guard let lock = try DirectoryLock.acquire(.exclusive, self.directory) else {
                throw FileFault("the state directory \(self.directory) does not exist")
            }
            return lock
        }
        defer { withExtendedLifetime(lock) {} }
        return switch action {
        case .set(let name, let value, let note):
            try self.set(SecretsAction.Entry(name: name, value: value, note: note))
        case .list: try self.list()
        case .remove(let name): try self.remove(name)
        case .rotate: try self.filed { () throws(FileFault) in try self.rotate() }
        case .importValues(let entries): try self.importEntries(entries)
        case .importTokens(let entries, let key): try self.importTokens(entries, fernetKey: key)
        }
    }

    // MARK: Files

    func table() throws(FileFault) -> SecretTable {
        guard let bytes = try self.file.read(maximumLength: SecretTable.maximumLength) else { return SecretTable() }
        return try SecretTable(parsing: bytes, of: self.file.path)
    }

    func masterKeys() throws(FileFault) -> MasterKeys {
        try MasterKeys.load(
            credentialsDirectory: self.credentialsDirectory, file: self.keyFile, calls: self.calls)
    }

    /// The keys to read with, or none and why.
    var ringForReading: (KeyRing, problem: String?) {
        do throws(FileFault) { return (try self.masterKeys().ring, nil) } catch {
            return (KeyRing(), error.description)
        }
    }

    /// Says of a fault with a file what a client is told.
    func filed<Result>(_ body: () throws(FileFault) -> Result) throws(Failure) -> Result {
        do throws(FileFault) { return try body() } catch {
            throw Failure(.secretsUnavailable, error.description)
        }
    }
}

/// The secrets at one moment, by name. One that cannot be used takes nothing from the others.
public struct StoredSecrets {
    private let table: SecretTable
    private let ring: KeyRing
    private let keyProblem: String?
    /// Why no secret can be read at all; `nil` where the file can be read, or there is none.
    public let problem: String?

    init(
        _ table: SecretTable = SecretTable(), _ ring: KeyRing = KeyRing(), keyProblem: String? = nil,
        problem: String? = nil
    ) {
        self.table = table
        self.ring = ring
        self.keyProblem = keyProblem
        self.problem = problem
    }

    public subscript(name: String) -> StoredSecret {
        if let problem = self.problem { return .unusable(problem) }
        let secret = self.table.open(name, with: self.ring)
        if case .unusable = secret, let problem = self.keyProblem { return .unusable(problem) }
        return secret
    }

    /// Everything but the values, in the order of the names.
    var described: [DescribedSecret] {
        self.table.names.map { name in
            let record = self.table.record(name)
            var described = DescribedSecret(
                name: name, note: record?.note, keyID: record?.keyID ?? "",
                createdAtMilliseconds: record?.createdAtMilliseconds ?? 0,
                updatedAtMilliseconds: record?.updatedAtMilliseconds ?? 0)
            if case .unusable(let reason) = self[name] { described.problem = reason }
            return described
        }
    }
}
