import Messages

// What an administrator does with single secrets. The lock is held.
extension SecretStore {
    func set(_ entry: SecretsAction.Entry) throws(Failure) -> SecretsAnswer {
        if let (field, reason) = entry.problem { throw Failure(.invalidRequest, "field '\(field)': \(reason)") }
        return try self.write([entry], skipped: [])
    }

    func list() throws(Failure) -> SecretsAnswer {
        try self.filed { () throws(FileFault) in
            let (ring, problem) = self.ringForReading
            return SecretsAnswer(secrets: StoredSecrets(try self.table(), ring, keyProblem: problem).described)
        }
    }

    func remove(_ name: String) throws(Failure) -> SecretsAnswer {
        var table = try self.filed { () throws(FileFault) in try self.table() }
        guard table.remove(name) else {
            let nearest = name.nearest(of: table.names).map { "; did you mean '\($0)'?" } ?? ""
            throw Failure(.notFound, "there is no secret '\(name)'\(nearest)")
        }
        try self.filed { () throws(FileFault) in try self.file.write(table.encoded) }
        return SecretsAnswer(changed: [name])
    }

    func importTokens(_ tokens: [SecretsAction.Entry], fernetKey: String) throws(Failure) -> SecretsAnswer {
        let fernet: Fernet
        do throws(Fernet.Fault) { fernet = try Fernet(key: fernetKey) } catch {
            throw Failure(.invalidRequest, "field 'fernet_key': \(error)")
        }
        var entries: [SecretsAction.Entry] = []
        var skipped: [SkippedSecret] = []
        for token in tokens {
            do throws(Fernet.Fault) {
                guard token.value.utf8.count <= SecretBounds.tokenLength,
                    let value = String(validating: try fernet.decrypt(token.value), as: UTF8.self)
                else { throw .noToken }
                entries.append(SecretsAction.Entry(name: token.name, value: value, note: token.note))
            } catch {
                skipped.append(SkippedSecret(name: token.name, reason: "\(error)"))
            }
        }
        return try self.importEntries(entries, skipped: skipped)
    }

    func importEntries(
        _ entries: [SecretsAction.Entry], skipped: [SkippedSecret] = []
    ) throws(Failure) -> SecretsAnswer {
        var skipped = skipped
        var sound: [SecretsAction.Entry] = []
        var names: Set<String> = []
        for entry in entries {
            if let (field, reason) = entry.problem {
                skipped.append(SkippedSecret(name: entry.name, reason: "its \(field) \(reason)"))
            } else if !names.insert(entry.name).inserted {
                skipped.append(SkippedSecret(name: entry.name, reason: "it comes twice; the first was taken"))
            } else {
                sound.append(entry)
            }
        }
        guard !sound.isEmpty else { return SecretsAnswer(skipped: skipped) }
        return try self.write(sound, skipped: skipped)
    }

    /// Encrypts secrets and writes all of them at once.
    private func write(
        _ entries: [SecretsAction.Entry], skipped: [SkippedSecret]
    ) throws(Failure) -> SecretsAnswer {
        try self.filed { () throws(FileFault) in
            var table = try self.table()
            let (key, advice) = try self.currentKey(for: table)
            for entry in entries {
                let before = table.record(entry.name)
                try table.put(
                    try SecretRecord(
                        entry.name, value: entry.value, note: entry.note ?? before?.note, under: key,
                        createdAtMilliseconds: before?.createdAtMilliseconds,
                        updatedAtMilliseconds: self.millisecondsSince1970()))
            }
            try self.file.write(table.encoded)
            return SecretsAnswer(changed: entries.map(\.name), skipped: skipped, advice: advice)
        }
    }

    /// The key that encrypts, made where there never was one.
    private func currentKey(for table: SecretTable) throws(FileFault) -> (MasterKey, advice: [String]) {
        let keys = try self.masterKeys()
        if let key = keys.ring.current { return (key, []) }
        guard table.isEmpty, let file = keys.file else {
            throw FileFault(
                "the master key file \(keys.path) is missing, and there are secrets that are encrypted with it: restore it, "
                    + "or remove them first")
        }
        let key = MasterKey.random()
        guard try file.make(KeyRing([key]).encoded) else {
            throw FileFault("another process has just made \(file.path); try again")
        }
        return (key, ["A master key was made: \(file.path). Keep a copy of it, apart from copies of the secrets."])
    }
}
