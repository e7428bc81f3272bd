import JSON

/// What the provider itself says its models are: asked of a slot, and answered with one event (proto/worker.md).
public struct ModelListing: Sendable, Equatable {
    /// How many models of one provider are taken.
    public static let maximumModels = 2_000

    /// Names the question; it is no request on record.
    public var request: ULID
    public var key: String?

    public init(request: ULID, key: String? = nil) {
        self.request = request
        self.key = key
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try ULID(decoding: try object.require("request"))
        self.key = try object.optional("key")?.expectString("key")
    }

    /// The frame that asks a slot.
    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("op", "list_models")
        object.add("request", self.request.description)
        object.add("key", ifPresent: self.key)
        return object.finish()
    }

    /// Whether a model may have this id: a provider's word goes into frames, files and addresses.
    public static func isUsable(_ id: String) -> Bool {
        (1...ProtocolBounds.nameLength).contains(id.utf8.count)
            && id.unicodeScalars.allSatisfy { scalar in
                scalar.value > 0x20 && scalar.value != 0x7F && !scalar.properties.isWhitespace
                    && scalar.properties.generalCategory != .control && !"\"\\'`".unicodeScalars.contains(scalar)
            }
            && !id.split(separator: "/", omittingEmptySubsequences: false).contains { $0 == "." || $0 == ".." }
    }
}

extension [ProviderSettings] {
    /// Whether `id`, which `lister` lists, is `provider/model` with the name of another of these: then it means a model of that one,
    /// whatever anybody lists.
    public func claim(_ id: String, against lister: String) -> Bool {
        guard let slash = id.firstIndex(of: "/"), id[..<slash] != lister else { return false }
        return self.contains { $0.isOverHTTP && $0.name == id[..<slash] }
    }
}
