import JSON

/// What an administrator wants done with the store of secrets: in the op `secrets` of a client, and in the one frame that
/// the supervisor then sends to bulkhead-config (proto/client.md, proto/config.md).
public enum SecretsAction: Sendable, Equatable {
    case set(name: String, value: String, note: String?)
    case list
    case remove(name: String)
    /// A new master key, and every secret under it.
    case rotate
    case importValues([Entry])
    /// Values that are Fernet tokens (datasette-secrets), and the key to them.
    case importTokens([Entry], fernetKey: String)

    /// One secret of an import.
    public struct Entry: Sendable, Equatable {
        public var name: String
        /// The value, or the token that holds it.
        public var value: String
        public var note: String?

        public init(name: String, value: String, note: String? = nil) {
            self.name = name
            self.value = value
            self.note = note
        }
    }

    /// Whether it changes which keys there are.
    public var changesSecrets: Bool {
        switch self {
        case .set, .remove, .importValues, .importTokens: true
        case .list, .rotate: false
        }
    }

    static let fields = ["action", "name", "value", "note", "secrets", "tokens", "fernet_key"]
    private static let actions = ["set", "list", "rm", "rotate", "import"]

    /// Reads the frame of the supervisor.
    public init(decoding bytes: [UInt8]) throws(MessageError) {
        try self.init(decoding: try JSONObject.internalMessage(bytes))
    }

    /// No message of an error repeats a value.
    init(decoding object: JSONObject) throws(MessageError) {
        let action = try object.require("action").expectString("action")
        switch action {
        case "set":
            try Self.expect(["name", "value", "note"], in: object, of: action)
            let entry = try Entry(decoding: object, value: "value")
            self = .set(name: entry.name, value: entry.value, note: entry.note)
        case "list":
            try Self.expect([], in: object, of: action)
            self = .list
        case "rm":
            try Self.expect(["name"], in: object, of: action)
            self = .remove(name: try object.expectSecretName())
        case "rotate":
            try Self.expect([], in: object, of: action)
            self = .rotate
        case "import":
            try Self.expect(["secrets", "tokens", "fernet_key"], in: object, of: action)
            self = try Self.decodeImport(object)
        default:
            let nearest = action.nearest(of: Self.actions).map { "; did you mean '\($0)'?" } ?? ""
            throw .invalidValue("action", "is one of \(Self.actions.joined(separator: ", "))\(nearest)")
        }
    }

    private static func expect(_ names: [String], in object: JSONObject, of action: String) throws(MessageError) {
        for name in Self.fields where name != "action" && !names.contains(name) && object.optional(name) != nil {
            throw .invalidValue(name, "does not go with the action '\(action)'")
        }
    }

    private static func decodeImport(_ object: JSONObject) throws(MessageError) -> SecretsAction {
        guard let tokens = object.optional("tokens") else {
            guard object.optional("fernet_key") == nil else { throw .invalidValue("fernet_key", "goes with 'tokens'") }
            return .importValues(try Self.entries(try object.require("secrets"), "secrets", value: "value"))
        }
        guard object.optional("secrets") == nil else { throw .invalidValue("tokens", "excludes 'secrets'") }
        return .importTokens(
            try Self.entries(tokens, "tokens", value: "token"),
            fernetKey: try object.require("fernet_key").expectString("fernet_key"))
    }

    private static func entries(
        _ slice: JSONSlice, _ name: String, value: String
    ) throws(MessageError) -> [Entry] {
        guard let elements = slice.elements else { throw .wrongType(name, expected: "an array of objects") }
        guard elements.count <= SecretBounds.count else {
            throw .invalidValue(name, "more than \(SecretBounds.count) entries; import them in several parts")
        }
        return try elements.map { element throws(MessageError) in
            let object = try element.expectObject(name)
            try object.expectOnly(["name", value, "note"])
            return Entry(
                name: try object.require("name").expectString("name"),
                value: try object.require(value).expectString(value),
                note: try object.optional("note")?.expectString("note"))
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        self.append(to: &object)
        return object.finish()
    }

    func append(to object: inout JSONObjectBuilder) {
        switch self {
        case .set(let name, let value, let note):
            object.add("action", "set")
            object.add("name", name)
            object.add("value", value)
            object.add("note", ifPresent: note)
        case .list: object.add("action", "list")
        case .remove(let name):
            object.add("action", "rm")
            object.add("name", name)
        case .rotate: object.add("action", "rotate")
        case .importValues(let entries):
            object.add("action", "import")
            object.add("secrets", rawElements: entries.map { $0.encoded("value") })
        case .importTokens(let entries, let key):
            object.add("action", "import")
            object.add("tokens", rawElements: entries.map { $0.encoded("token") })
            object.add("fernet_key", key)
        }
    }
}

extension SecretsAction.Entry {
    /// Reads one that is set by hand, which must be right; one of an import may be wrong, and is passed over.
    fileprivate init(decoding object: JSONObject, value: String) throws(MessageError) {
        self.init(
            name: try object.expectSecretName(), value: try object.require(value).expectString(value),
            note: try object.optional("note")?.expectString("note"))
        if let problem = self.problem { throw .invalidValue(problem.field, problem.reason) }
    }

    /// What of it cannot be kept, and why; `nil` where all can.
    public var problem: (field: String, reason: String)? {
        guard SecretName.isUsable(self.name) else { return ("name", "must be \(SecretName.rule)") }
        if self.value.isEmpty { return ("value", "is empty") }
        if self.value.utf8.count > SecretBounds.valueLength {
            return ("value", "is longer than \(SecretBounds.valueLength) bytes")
        }
        // It is going to be the value of an HTTP header.
        if self.value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            return ("value", "holds a line break or another control character")
        }
        if let note = self.note, note.utf8.count > SecretBounds.noteLength {
            return ("note", "is longer than \(SecretBounds.noteLength) bytes")
        }
        return nil
    }

    fileprivate func encoded(_ value: StaticString) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add(value, self.value)
        object.add("note", ifPresent: self.note)
        return object.finish()
    }
}

extension JSONObject {
    fileprivate func expectSecretName() throws(MessageError) -> String {
        let name = try self.require("name").expectString("name")
        guard SecretName.isUsable(name) else { throw .invalidValue("name", "must be \(SecretName.rule)") }
        return name
    }
}
