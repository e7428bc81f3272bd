import Messages

// A new master key. The lock is held.
extension SecretStore {
    /// A new key first, then every record under it, then no old key any more. Whatever is on disk in between, each record has its
    /// key; and a rotation that was cut short is completed by the next.
    func rotate() throws(FileFault) -> SecretsAnswer {
        let table = try self.table()
        var ring = try self.masterKeys().ring
        guard let file = try self.masterKeys().file else { return try self.reencryptUnderCredential(table, ring) }
        guard !ring.keys.isEmpty else {
            throw FileFault("there is no master key yet; the first secret that is set makes one")
        }
        guard ring.keys.count < KeyRing.maximumCount else {
            throw FileFault("\(file.path) holds \(ring.keys.count) keys: remove those that no secret is encrypted with")
        }
        let key = MasterKey.random()
        ring.keys.insert(key, at: 0)
        try file.write(ring.encoded)
        var (rotated, answer) = try self.reencrypt(table, with: ring)
        // The key of a record that cannot be read stays: somebody may be able to repair it.
        ring.keys = ring.keys.filter { $0 == key || rotated.contains($0.id) }
        try file.write(ring.encoded)
        answer.advice = ["The master key is new: copy \(file.path) to where the copy of the old one is."]
        return answer
    }

    /// The daemon cannot write a credential: it takes the first key of it as the new one.
    private func reencryptUnderCredential(_ table: SecretTable, _ ring: KeyRing) throws(FileFault) -> SecretsAnswer {
        var (_, answer) = try self.reencrypt(table, with: ring)
        if answer.changed.isEmpty, answer.skipped.isEmpty, ring.keys.count == 1 {
            answer.advice = [
                "The master key is a credential, which the daemon cannot change: put a new key on its first line, before the "
                    + "old one, restart the daemon, and rotate again."
            ]
        } else if answer.skipped.isEmpty {
            answer.advice = [
                "Everything is encrypted with the first key of the credential. Its other lines, and \(self.keyFile) if "
                    + "there is one, are needed no more."
            ]
        } else {
            answer.advice = ["Keep all keys of the credential until what was skipped is set again or removed."]
        }
        return answer
    }

    /// - Returns: The ids of the keys that are needed after it, and what has been done.
    private func reencrypt(_ table: SecretTable, with ring: KeyRing) throws(FileFault) -> (Set<String>, SecretsAnswer) {
        let key = ring.keys[0]
        var table = table
        var answer = SecretsAnswer()
        for name in table.names where table.record(name)?.keyID != key.id {
            switch table.open(name, with: ring) {
            case .value(let value):
                var record = table.record(name)!
                try record.seal(value, under: key)
                try table.put(record)
                answer.changed.append(name)
            case .unusable(let reason): answer.skipped.append(SkippedSecret(name: name, reason: reason))
            case .absent: preconditionFailure("'\(name)' is in the table that names it")
            }
        }
        if !answer.changed.isEmpty { try self.file.write(table.encoded) }
        return (table.keyIDs, answer)
    }
}
