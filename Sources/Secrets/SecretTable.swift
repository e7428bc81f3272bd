import JSON
import Messages

/// The content of the file of secrets: records by name.
///
/// A record that cannot be read is kept as it is, and is nobody's problem but its own. A file that cannot be read is never
/// written over.
struct SecretTable: Equatable {
    /// Version of the format.
    private static let format = 1
    /// The longest file, in bytes: as many of the longest records as there may be.
    static let maximumLength = 16 << 20

    enum Entry: Equatable {
        case record(SecretRecord)
        /// What stands under the name, and why it is no record.
        case unreadable(JSONValue, reason: String)
    }

    private(set) var entries: [String: Entry] = [:]

    init() {}

    init(parsing bytes: [UInt8], of path: String) throws(FileFault) {
        let root: JSONValue
        do { root = try JSONValue(parsing: bytes) } catch {
            throw FileFault("\(path) is broken (\(error) of its JSON); restore it from a backup, or move it away")
        }
        guard root["format"]?.integer == Self.format, let secrets = root["secrets"]?.array else {
            throw FileFault("\(path) is no file of secrets that this version knows; restore it, or move it away")
        }
        for value in secrets {
            guard let name = value["name"]?.string, SecretName.isUsable(name) else {
                throw FileFault("\(path) is broken: a record has no name; restore it from a backup, or move it away")
            }
            guard self.entries[name] == nil else {
                throw FileFault("\(path) is broken: '\(name)' is in it twice; take one of them out")
            }
            do throws(FileFault) { self.entries[name] = .record(try SecretRecord(name, decoding: value)) } catch {
                self.entries[name] = .unreadable(value, reason: error.description)
            }
        }
    }

    var encoded: [UInt8] {
        let secrets = self.names.map { name -> JSONValue in
            switch self.entries[name]! {
            case .record(let record): record.json
            case .unreadable(let value, _): value
            }
        }
        var bytes = JSONValue.object([.init("format", .integer(Self.format)), .init("secrets", .array(secrets))])
            .serialized(JSONFormat(indent: 1))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    var names: [String] { self.entries.keys.sorted() }
    var isEmpty: Bool { self.entries.isEmpty }

    /// The ids of the keys that records name.
    var keyIDs: Set<String> { Set(self.names.compactMap { self.record($0)?.keyID }) }

    func record(_ name: String) -> SecretRecord? {
        guard case .record(let record)? = self.entries[name] else { return nil }
        return record
    }

    /// - Throws: The table is full.
    mutating func put(_ record: SecretRecord) throws(FileFault) {
        guard self.entries[record.name] != nil || self.entries.count < SecretBounds.count else {
            throw FileFault("there are \(SecretBounds.count) secrets already; remove one first")
        }
        self.entries[record.name] = .record(record)
    }

    /// `false` where there was none.
    mutating func remove(_ name: String) -> Bool { self.entries.removeValue(forKey: name) != nil }

    func open(_ name: String, with ring: KeyRing) -> StoredSecret {
        switch self.entries[name] {
        case .record(let record)?: record.open(with: ring)
        case .unreadable(_, let reason)?: .unusable(reason)
        case nil: .absent
        }
    }
}
