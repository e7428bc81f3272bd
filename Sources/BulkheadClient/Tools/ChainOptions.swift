public import Messages

/// How a chain goes.
public struct ChainOptions: Sendable {
    /// Asked before a call. It may wait, and may throw ``ToolCallCancelled`` so that the tool is not run; any other error
    /// stops the chain, once the calls that run have ended.
    public typealias BeforeCall = @Sendable (Tool, ToolCall) async throws -> Void
    /// Told what came of a call, well or badly, before it is sent. An error stops the chain.
    public typealias AfterCall = @Sendable (Tool, ToolCall, ToolResult) async throws -> Void

    /// How many rounds there may be, up to 1,000; 0 for any number. A chain that would need one more fails with
    /// ``ErrorCode/chainLimitExceeded``, and can be continued.
    public var limit = ChainRequest.defaultLimit
    /// How long the daemon waits for all results of a round; `nil` means 10 minutes.
    public var toolTimeout: Duration?
    /// How many calls may run at once, the rest of a round waiting.
    public var concurrency = 16
    public var beforeCall: BeforeCall?
    public var afterCall: AfterCall?

    public init() {}
}

extension BulkheadClient {
    /// Sends a prompt whose model may call `tools`, and returns what will come of it. Reading that is what runs the tools.
    ///
    /// - Parameters:
    ///   - request: Tools of its own are replaced by `tools`. With messages that end in calls which nobody has answered,
    ///     or a conversation that does, these are run first: so a chain goes on that was stopped.
    ///   - limit: How many rounds there may be; 0 for any number.
    public func chain(_ request: PromptRequest, tools: [Tool], limit: Int) -> Chain {
        var options = ChainOptions()
        options.limit = limit
        return self.chain(request, tools: tools, options: options)
    }

    /// The same with more to say of how it goes.
    public func chain(_ request: PromptRequest, tools: [Tool], options: ChainOptions = ChainOptions()) -> Chain {
        Chain(run: ChainRun(self, request, tools: tools, options: options))
    }
}

extension Duration {
    /// In milliseconds, within what the protocol allows: 1 to a day's worth.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = self.components
        let bound = Int64(ProtocolBounds.timeoutMilliseconds)
        guard seconds < bound / 1000 else { return Int(bound) }
        return max(1, Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
