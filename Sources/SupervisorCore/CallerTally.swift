/// How much of something each caller has, where what is had has a key.
///
/// To take or release the same thing twice changes nothing, so that no end of a request can be counted wrongly because
/// another one came before it.
struct CallerTally<Key: Hashable & Sendable>: Sendable {
    /// Whose each thing is, by the caller's name.
    private var owners: [Key: String?] = [:]
    private(set) var counts: [String: Int] = [:]

    /// How much a caller has.
    subscript(caller: String) -> Int { self.counts[caller, default: 0] }

    /// - Parameter caller: `nil` for somebody whom the configuration does not name, and who is not counted.
    mutating func take(_ key: Key, by caller: String?) {
        self.release(key)
        self.owners[key] = .some(caller)
        guard let caller else { return }
        self.counts[caller, default: 0] += 1
    }

    /// Gives a thing to another caller, if it counts at all.
    mutating func move(_ key: Key, to caller: String?) {
        guard self.owners[key] != nil else { return }
        self.take(key, by: caller)
    }

    mutating func release(_ key: Key) {
        guard let owner = self.owners.removeValue(forKey: key), let caller = owner else { return }
        let left = self.counts[caller]! - 1
        self.counts[caller] = left == 0 ? nil : left
    }
}
