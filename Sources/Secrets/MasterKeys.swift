import Messages

/// Where the master keys are, and which there are.
struct MasterKeys {
    /// The name of the systemd credential.
    static let credentialName = "bulkhead-master-key"

    /// Keys that a rotation may write; `nil` where they come from a credential, which only the administrator can change.
    let file: PrivateFile?
    /// The file or credential that the current key is in, for messages.
    let path: String
    /// All that decrypt. Empty where there is no file yet.
    var ring: KeyRing

    /// Reads the credential, where there is one, and else the file.
    ///
    /// Beside a credential the file's keys decrypt what was encrypted before there was one.
    static func load(
        credentialsDirectory: String?, file path: String, calls: any FileCalls
    ) throws(FileFault) -> MasterKeys {
        let file = PrivateFile(path: path, calls: calls)
        if let directory = credentialsDirectory {
            let credential = "\(directory)/\(Self.credentialName)"
            // Who may read it is the service manager's to say, by means that its mode does not show.
            if let content = try calls.read(credential, maximumLength: KeyRing.maximumLength) {
                var ring = try KeyRing(parsing: content.bytes, of: credential)
                let older = (try? Self.read(file)) ?? KeyRing()
                ring.keys += older.keys.filter { ring[$0.id] == nil }
                return MasterKeys(file: nil, path: credential, ring: ring)
            }
        }
        return MasterKeys(file: file, path: path, ring: try Self.read(file))
    }

    private static func read(_ file: PrivateFile) throws(FileFault) -> KeyRing {
        guard let bytes = try file.read(maximumLength: KeyRing.maximumLength) else { return KeyRing() }
        return try KeyRing(parsing: bytes, of: file.path)
    }
}
