import JSON

/// `op: chain`: a prompt whose model is asked again with the results of the tools that it called, until it calls none.
///
/// The daemon drives the loop; the client runs the tools (``ToolResultRequest``).
public struct ChainRequest: Sendable, Equatable {
    /// What the first round asks. Its options, schema and tools are those of every round.
    public var prompt: PromptRequest
    /// How many rounds there may be; 0 for any number. llm's command line has the same default.
    public var limit = ChainRequest.defaultLimit
    /// How long the daemon waits for the results of a round, in milliseconds.
    public var toolTimeoutMilliseconds = ChainRequest.defaultToolTimeoutMilliseconds

    public static let defaultLimit = 5
    public static let maximumLimit = 1000
    public static let defaultToolTimeoutMilliseconds = 600_000

    static let fields = PromptRequest.fields + ["chain_limit", "tool_timeout_ms"]

    public init(_ prompt: PromptRequest) { self.prompt = prompt }

    init(decoding object: JSONObject) throws(MessageError) {
        self.init(try PromptRequest(decoding: object, fields: Self.fields))
        if let limit = object.optional("chain_limit") {
            self.limit = try limit.expectInteger("chain_limit", in: 0...Self.maximumLimit)
        }
        if let timeout = object.optional("tool_timeout_ms") {
            self.toolTimeoutMilliseconds =
                try timeout.expectInteger("tool_timeout_ms", in: 1...ProtocolBounds.timeoutMilliseconds)
        }
    }

    func append(to object: inout JSONObjectBuilder) {
        self.prompt.append(to: &object)
        if self.limit != Self.defaultLimit { object.add("chain_limit", self.limit) }
        if self.toolTimeoutMilliseconds != Self.defaultToolTimeoutMilliseconds {
            object.add("tool_timeout_ms", self.toolTimeoutMilliseconds)
        }
    }
}

/// `op: tool_result`: what came of tool calls of a chain that is open.
public struct ToolResultRequest: Sendable, Equatable {
    /// The id of the chain, on the same connection.
    public var target: RequestIdentifier
    /// Of any calls that are owed, in any order.
    public var results: [ToolResult]

    static let fields = ["id", "op", "target", "tool_results"]

    public init(target: RequestIdentifier, results: [ToolResult]) {
        self.target = target
        self.results = results
    }

    init(decoding object: JSONObject) throws(MessageError) {
        do throws(MessageError) {
            self.target = try RequestIdentifier(decoding: try object.require("target"))
        } catch {
            throw .invalidValue("target", "must be the id of an open chain of this connection")
        }
        self.results = try ToolResult.list(try object.require("tool_results").value)
        guard !self.results.isEmpty else { throw .invalidValue("tool_results", "there is none") }
        for result in self.results {
            try PromptRequest.check(result.attachments, "tool_results")
            guard !result.name.isEmpty || result.toolCallID != nil else {
                throw .invalidValue("tool_results", "a result needs the 'tool_call_id' that it answers, or a 'name'")
            }
        }
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("target", raw: self.target.encoded)
        object.add("tool_results", .array(self.results.map(\.value)))
    }
}
