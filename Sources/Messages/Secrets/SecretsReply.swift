public import JSON

/// The one frame in which bulkhead-config answers a ``SecretsAction`` (proto/config.md).
public enum SecretsReply: Sendable, Equatable {
    case done(SecretsAnswer)
    case error(Failure)

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        if let error = object.optional("error") {
            self = .error(try Failure(decoding: error))
        } else {
            self = .done(try SecretsAnswer(decoding: try object.require("done").expectObject("done")))
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .done(let answer): object.add("done", raw: answer.encoded)
        case .error(let failure): object.add("error", raw: failure.encoded)
        }
        return object.finish()
    }
}

/// What became of a ``SecretsAction``. It never holds a value.
public struct SecretsAnswer: Sendable, Equatable {
    /// The store, where it was asked for: in the order of the names.
    public var secrets: [DescribedSecret]?
    /// The names whose secrets were set, removed or encrypted anew.
    public var changed: [String]
    /// What could not be imported, or encrypted anew.
    public var skipped: [SkippedSecret]
    /// Sentences for the administrator: what to do next.
    public var advice: [String]

    public init(
        secrets: [DescribedSecret]? = nil, changed: [String] = [], skipped: [SkippedSecret] = [], advice: [String] = []
    ) {
        self.secrets = secrets
        self.changed = changed
        self.skipped = skipped
        self.advice = advice
    }

    public init(decoding object: JSONObject) throws(MessageError) {
        self.init(
            secrets: try object.optional("secrets").map { slice throws(MessageError) in
                try slice.expectElements("secrets").map { element throws(MessageError) in
                    try DescribedSecret(decoding: try element.expectObject("secrets"))
                }
            },
            changed: try object.require("changed").expectStrings("changed"),
            skipped: try object.optional("skipped").map { slice throws(MessageError) in
                try slice.expectElements("skipped").map { element throws(MessageError) in
                    try SkippedSecret(decoding: try element.expectObject("skipped"))
                }
            } ?? [],
            advice: try object.optional("advice")?.expectStrings("advice") ?? [])
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        self.append(to: &object)
        return object.finish()
    }

    func append(to object: inout JSONObjectBuilder) {
        if let secrets = self.secrets { object.add("secrets", rawElements: secrets.map(\.encoded)) }
        object.add("changed", .array(self.changed.map(JSONValue.string)))
        if !self.skipped.isEmpty { object.add("skipped", rawElements: self.skipped.map(\.encoded)) }
        if !self.advice.isEmpty { object.add("advice", .array(self.advice.map(JSONValue.string))) }
    }
}

/// What may be told of a secret: everything but its value.
public struct DescribedSecret: Sendable, Equatable {
    public var name: String
    public var note: String?
    /// Which master key it is encrypted with.
    public var keyID: String
    public var createdAtMilliseconds: Int
    public var updatedAtMilliseconds: Int
    /// When a request last carried it; `nil` where none is known to have.
    public var lastUsedAtMilliseconds: Int?
    /// Why it cannot be used; `nil` where it can.
    public var problem: String?

    public init(
        name: String, note: String? = nil, keyID: String, createdAtMilliseconds: Int, updatedAtMilliseconds: Int,
        lastUsedAtMilliseconds: Int? = nil, problem: String? = nil
    ) {
        self.name = name
        self.note = note
        self.keyID = keyID
        self.createdAtMilliseconds = createdAtMilliseconds
        self.updatedAtMilliseconds = updatedAtMilliseconds
        self.lastUsedAtMilliseconds = lastUsedAtMilliseconds
        self.problem = problem
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.init(
            name: try object.require("name").expectString("name"),
            note: try object.optional("note")?.expectString("note"),
            keyID: try object.require("key_id").expectString("key_id"),
            createdAtMilliseconds: try object.require("created_at_ms").expectInteger("created_at_ms", in: 0...Int.max),
            updatedAtMilliseconds: try object.require("updated_at_ms").expectInteger("updated_at_ms", in: 0...Int.max),
            lastUsedAtMilliseconds: try object.optional("last_used_at_ms")?
                .expectInteger("last_used_at_ms", in: 0...Int.max),
            problem: try object.optional("problem")?.expectString("problem"))
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add("note", ifPresent: self.note)
        object.add("key_id", self.keyID)
        object.add("created_at_ms", self.createdAtMilliseconds)
        object.add("updated_at_ms", self.updatedAtMilliseconds)
        object.add("last_used_at_ms", ifPresent: self.lastUsedAtMilliseconds)
        object.add("problem", ifPresent: self.problem)
        return object.finish()
    }
}

/// A secret that an action left as it was, and why.
public struct SkippedSecret: Sendable, Equatable {
    /// As it came, shortened.
    public var name: String
    public var reason: String

    public init(name: String, reason: String) {
        self.name = name.truncated(toUTF8Length: SecretName.maximumLength)
        self.reason = reason
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.init(
            name: try object.require("name").expectString("name"),
            reason: try object.require("reason").expectString("reason"))
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add("reason", self.reason)
        return object.finish()
    }
}

extension JSONSlice {
    fileprivate func expectElements(_ name: String) throws(MessageError) -> [JSONSlice] {
        guard let elements = self.elements else { throw .wrongType(name, expected: "an array of objects") }
        return elements
    }
}
