import JSON

/// What a hook answers (proto/hooks.md).
public struct HookAnswer: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        /// Nothing to say.
        case nothing
        /// Those that may be used, of the ones that were asked about.
        case models([String])
        case model(String)
        /// Why the request may not go on.
        case refuse(String)
        /// What goes on record with the request: a JSON object.
        case annotate([UInt8])
    }

    /// The number of the question.
    public let number: Int
    private let object: JSONObject

    public static func == (left: HookAnswer, right: HookAnswer) -> Bool { left.object.bytes == right.object.bytes }

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        self.object = try JSONObject.internalMessage(bytes, bounds: .hookAnswer)
        self.number = try self.object.require("id").expectInteger("id", in: 0...Int.max)
    }

    /// What it says to a question of this event.
    ///
    /// A member that is not of such an answer is refused like a member of the wrong type: whoever misspells `refuse` should not find
    /// that nothing was.
    public func content(of event: HookEvent) throws(MessageError) -> Content {
        switch event {
        case .filterModels:
            try self.object.expectOnly(["id", "models"])
            return try self.object.optional("models").map { slice throws(MessageError) in
                .models(try slice.expectStrings("models"))
            } ?? .nothing
        case .defaultModel:
            try self.object.expectOnly(["id", "model"])
            return try self.object.optional("model").map { slice throws(MessageError) in
                .model(try slice.expectName("model"))
            } ?? .nothing
        case .beforePrompt:
            return try self.verdict()
        case .afterResponse, .groupExit:
            try self.object.expectOnly(["id"])
            return .nothing
        }
    }

    private func verdict() throws(MessageError) -> Content {
        try self.object.expectOnly(["id", "refuse", "annotate"])
        if let reason = self.object.optional("refuse") { return .refuse(try reason.expectString("refuse")) }
        guard let annotation = self.object.optional("annotate") else { return .nothing }
        guard annotation.kind == .object else { throw .wrongType("annotate", expected: "an object") }
        guard annotation.raw.count <= ProtocolBounds.hookAnnotation else {
            throw .invalidValue("annotate", "longer than \(ProtocolBounds.hookAnnotation) bytes")
        }
        return .annotate(Array(annotation.raw))
    }

    /// As a hook writes it.
    public static func encode(_ content: Content, number: Int) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", number)
        switch content {
        case .nothing: break
        case .models(let models): object.add("models", .array(models.map(JSONValue.string)))
        case .model(let model): object.add("model", model)
        case .refuse(let reason): object.add("refuse", reason)
        case .annotate(let annotation): object.add("annotate", raw: annotation)
        }
        return object.finish()
    }
}
