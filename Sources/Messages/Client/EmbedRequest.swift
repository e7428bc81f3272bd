public import JSON

/// `op: embed`: the vectors of some texts.
///
/// As of a prompt, the supervisor reads only what it decides by; the rest stays the JSON text that the client sent.
public struct EmbedRequest: Sendable, Equatable {
    /// The texts, a JSON array of strings.
    public private(set) var input: [UInt8]
    /// How many texts there are.
    public private(set) var count: Int
    /// A model's id or alias; `nil` and `""` mean the default model for embeddings.
    public var model: String?
    /// The model's options, a JSON object.
    public var options: [UInt8]?
    public var mandate = Mandate()
    /// How long the client will wait for the last frame.
    public var timeoutMilliseconds: Int?

    static let fields = ["id", "op", "input", "model", "options", "timeout_ms"] + Mandate.fields

    /// A request made from values.
    ///
    /// - Parameters:
    ///   - input: 1 to 2,048 texts.
    ///   - options: Such as `dimensions`, and for Gemini `task_type`.
    ///   - purpose: What it is for, which decides about models, options and keys.
    ///   - actor: Whom it is for, where the caller may say so.
    public init(
        _ input: [String], model: String? = nil, options: JSONValue? = nil, purpose: String? = nil, actor: String? = nil
    ) {
        self.input = JSONValue.array(input.map(JSONValue.string)).serialized()
        self.count = input.count
        self.model = model
        self.options = options?.serialized()
        self.mandate = Mandate(purpose: purpose, actor: actor)
    }

    init(decoding object: JSONObject) throws(MessageError) {
        try object.expectOnly(Self.fields)
        (self.input, self.count) = try Self.texts(try object.require("input"))
        self.model = try object.optional("model")?.expectString("model")
        if let model = self.model, model.utf8.count > ProtocolBounds.nameLength {
            throw .invalidValue("model", "longer than \(ProtocolBounds.nameLength) bytes")
        }
        self.options = try object.raw("options", .object)
        self.mandate = try Mandate(decoding: object)
        self.timeoutMilliseconds = try object.optional("timeout_ms")?
            .expectInteger("timeout_ms", in: 1...ProtocolBounds.timeoutMilliseconds)
    }

    /// An array of texts, or one text, which becomes an array.
    private static func texts(_ slice: JSONSlice) throws(MessageError) -> ([UInt8], count: Int) {
        if slice.kind == .string { return ([UInt8(ascii: "[")] + slice.raw + [UInt8(ascii: "]")], 1) }
        guard let elements = slice.elements, elements.allSatisfy({ $0.kind == .string }) else {
            throw .wrongType("input", expected: "a string, or an array of strings")
        }
        guard (1...ProtocolBounds.embedInputs).contains(elements.count) else {
            throw .invalidValue(
                "input", "has \(elements.count) texts, and must have 1 to \(ProtocolBounds.embedInputs)")
        }
        return (Array(slice.raw), elements.count)
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("input", raw: self.input)
        object.add("model", ifPresent: self.model)
        if let options = self.options { object.add("options", raw: options) }
        self.mandate.append(to: &object)
        object.add("timeout_ms", ifPresent: self.timeoutMilliseconds)
    }
}
