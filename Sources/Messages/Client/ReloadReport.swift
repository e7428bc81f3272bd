import JSON

/// What reading the configuration anew has come to.
public struct ReloadReport: Sendable, Equatable {
    /// What the operator should know though nothing is refused.
    public var warnings: [String]
    /// The names of the providers that are new.
    public var added: [String]
    /// Those whose processes are replaced.
    public var changed: [String]
    /// Those that new requests do not find any more.
    public var removed: [String]

    /// The most lines that are told of what is wrong with a configuration, or of its warnings, and the longest of them in bytes
    /// of UTF-8.
    public static let maximumLines = 100
    public static let maximumLineLength = 1024

    public init(warnings: [String] = [], added: [String] = [], changed: [String] = [], removed: [String] = []) {
        self.warnings = warnings
        self.added = added
        self.changed = changed
        self.removed = removed
    }

    /// As many lines as are told; where there are more, the last one says how many.
    public static func bounded(_ lines: [String]) -> [String] {
        let told = lines.prefix(lines.count > Self.maximumLines ? Self.maximumLines - 1 : Self.maximumLines)
            .map { $0.truncated(toUTF8Length: Self.maximumLineLength) }
        return told.count < lines.count ? told + ["and \(lines.count - told.count) more"] : Array(told)
    }

    func append(to object: inout JSONObjectBuilder) {
        func add(_ name: StaticString, _ texts: [String]) { object.add(name, .array(texts.map(JSONValue.string))) }
        add("warnings", self.warnings)
        add("added", self.added)
        add("changed", self.changed)
        add("removed", self.removed)
    }

    /// `nil` where the frame answers something else.
    init?(decoding object: JSONObject) throws(MessageError) {
        guard let warnings = object.optional("warnings") else { return nil }
        self.init(
            warnings: try warnings.expectStrings("warnings"),
            added: try object.optional("added")?.expectStrings("added") ?? [],
            changed: try object.optional("changed")?.expectStrings("changed") ?? [],
            removed: try object.optional("removed")?.expectStrings("removed") ?? [])
    }
}
