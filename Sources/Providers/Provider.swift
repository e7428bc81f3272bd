public import Messages
public import Transport

/// A kind of provider: how its models are asked.
///
/// Each slot has a provider of its own and runs one request at a time on its own thread, so what is written here is
/// straight-line code that may block. A new kind is one file with a type like this, and one line in
/// ``ProviderRegistry``.
public protocol Provider {
    /// The models that are known of it.
    var models: [ModelDescription] { get }

    /// Whether a request for this model is to reach ``run(_:into:)``.
    func serves(_ model: String) -> Bool

    /// Which models it says that it has, at most ``ModelListing/maximumModels``.
    mutating func listModels(key: String?) throws(RequestEnd) -> [ModelDescription]

    /// Asks the model, and hands over what it says as it says it.
    ///
    /// - Returns: What is known at the end. Its `answer` stays `nil`: the output collects where that is wanted.
    mutating func run(_ request: ModelRequest, into output: AnswerOutput) throws(RequestEnd) -> SlotCompletion

    /// Asks for the vectors of some texts, and hands them over in the order of the texts.
    ///
    /// - Returns: What is known at the end. Its `embeddings` stay empty: the output collects them.
    mutating func embed(
        _ request: EmbeddingRequest, into output: EmbeddingOutput
    ) throws(RequestEnd) -> EmbeddingCompletion
}

extension Provider {
    public mutating func embed(
        _ request: EmbeddingRequest, into output: EmbeddingOutput
    ) throws(RequestEnd) -> EmbeddingCompletion {
        throw .failed(.modelError, "the provider of model '\(request.model)' has no embeddings")
    }
}

extension Provider {
    public func serves(_ model: String) -> Bool { self.models.contains { $0.id == model } }

    public mutating func listModels(key: String?) throws(RequestEnd) -> [ModelDescription] { self.models }
}

/// How a request ends that does not succeed.
public enum RequestEnd: Error, Equatable, Sendable {
    /// With `usage` where it is known what the request used all the same.
    case failed(Failure, usage: Usage? = nil)
    /// It was cancelled.
    case cancelled
    /// Nobody reads the slot any more.
    case slotClosed

    static func failed(_ code: ErrorCode, _ message: String) -> RequestEnd { .failed(Failure(code, message)) }
}

/// What a provider has to work with.
public struct ProviderEnvironment {
    public var transport: any HTTPTransport
    public var channel: any SlotChannel
    /// Makes the ids of tool calls that have none.
    public var newIdentifier: () -> ULID

    public init(transport: any HTTPTransport, channel: any SlotChannel, newIdentifier: @escaping () -> ULID) {
        self.transport = transport
        self.channel = channel
        self.newIdentifier = newIdentifier
    }
}

extension ToolCall {
    /// The id of a call to which its provider gave none, in llm's form.
    static func newID(_ newIdentifier: () -> ULID) -> String { "tc_\(newIdentifier())" }
}

/// The slot's end of its channel to the supervisor, as a running request sees it.
public protocol SlotChannel: AnyObject {
    /// Writes one frame, now or together with those that follow it before ``flush()``.
    func write(_ payload: [UInt8]) throws(RequestEnd)

    /// Lets what was written leave, and waits until the kernel has taken it. Due before anything that may take time.
    func flush() throws(RequestEnd)

    /// Waits so long, in milliseconds, or until the request is cancelled or the slot closed, which it throws.
    func wait(milliseconds: Int) throws(RequestEnd)

    /// Writes bytes without a frame around them: for the provider that misbehaves on purpose.
    func writeUnframed(_ bytes: [UInt8]) throws(RequestEnd)
}
