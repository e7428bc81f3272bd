public import JSON
public import Messages

/// Something that a model may ask to be done, and what does it.
///
///     let weather = try Tool(name: "weather", description: "The weather in a city", input: "city, days int") { input in
///         ToolOutput("Rain in \(try input.text("city"))")
///     }
///
/// What the body throws goes to the model as the result of the call, as llm writes it, and the chain goes on; see
/// ``ToolError``. ``ChainPause`` stops the chain instead.
public struct Tool: Sendable {
    /// What runs when the tool is called: in a task of its own, beside the other calls of the same round.
    public typealias Body = @Sendable (ToolInput) async throws -> ToolOutput

    /// What the model is told of it.
    public let definition: ToolDefinition
    let body: Body

    /// - Parameters:
    ///   - name: 1 to 64 letters, digits, `_` and `-` please every provider.
    ///   - inputSchema: What arguments it takes: a JSON Schema of an object.
    public init(
        name: String, description: String? = nil, inputSchema: JSONValue = .object([]), _ body: @escaping Body
    ) {
        self.definition = ToolDefinition(name: name, description: description, inputSchema: inputSchema)
        self.body = body
    }

    /// A tool whose arguments are described in llm's short form: `city, days int: from today`. All of them are required.
    public init(
        name: String, description: String? = nil, input fields: String, _ body: @escaping Body
    ) throws(SchemaText.Fault) {
        self.init(
            name: name, description: description, inputSchema: try SchemaText.schema(fields), body)
    }

    public var name: String { self.definition.name }
}

/// What a tool is called with.
public struct ToolInput: Sendable {
    /// The call itself, for its id.
    public let call: ToolCall
    /// All arguments: an object.
    public let json: JSONValue

    init(_ call: ToolCall) {
        self.call = call
        self.json = (try? JSONValue(parsing: call.arguments, bounds: .lenient)) ?? .object([])
    }

    /// An argument; `nil` where the model gave none of this name.
    public subscript(_ name: String) -> JSONValue? { self.json[name] }

    /// An argument that must be a text. The model is told where it is not.
    public func text(_ name: String) throws(ToolError) -> String { try self.require(name, "a text", \.string) }

    /// An argument that must be an integer. The model is told where it is not.
    public func integer(_ name: String) throws(ToolError) -> Int { try self.require(name, "an integer", \.integer) }

    /// An argument that must be a number. The model is told where it is not.
    public func number(_ name: String) throws(ToolError) -> Double {
        try self.require(name, "a number") { if case .number(let text) = $0 { Double(text) } else { nil } }
    }

    /// An argument that must be true or false. The model is told where it is not.
    public func bool(_ name: String) throws(ToolError) -> Bool { try self.require(name, "true or false", \.bool) }

    private func require<Value>(
        _ name: String, _ expectation: String, _ read: (JSONValue) -> Value?
    ) throws(ToolError) -> Value {
        guard let argument = self[name] else { throw ToolError("the argument '\(name)' is missing", type: "TypeError") }
        guard let value = read(argument) else {
            throw ToolError("the argument '\(name)' must be \(expectation)", type: "TypeError")
        }
        return value
    }
}

/// What a tool has to say: a text, and perhaps something to look at.
public struct ToolOutput: Sendable, Equatable, ExpressibleByStringInterpolation {
    public var text: String
    /// What the model is shown with the text, where it can see.
    public var attachments: [Attachment]

    public init(_ text: String, attachments: [Attachment] = []) {
        self.text = text
        self.attachments = attachments
    }

    /// A value as JSON text, written as llm writes it.
    public init(json: JSONValue, attachments: [Attachment] = []) {
        self.init(json.text(JSONFormat(isSpaced: true, escapesNonASCII: true)), attachments: attachments)
    }

    public init(stringLiteral text: String) { self.init(text) }
}
