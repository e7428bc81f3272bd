public import Messages

/// Why a tool has nothing to say. The model reads `Error: ` and the message; the record has the type before it.
///
/// Any error will do; one that describes itself (`CustomStringConvertible`) reads better.
public struct ToolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The class of the error, for the record: `ValueError`.
    public var type: String
    public var message: String

    public init(_ message: String, type: String = "ToolError") {
        self.type = type
        self.message = message
    }

    public var description: String { self.message }
}

/// Thrown before a call: the tool is not to run, and the model reads `Cancelled: ` and the reason.
public struct ToolCallCancelled: Error, Equatable, Sendable, CustomStringConvertible {
    public var reason: String

    public init(_ reason: String) { self.reason = reason }

    public var description: String { self.reason }
}

/// Thrown by a tool, it stops the chain: whatever the tool needs (somebody's consent, the next day) has to come first.
///
/// The other calls of the round run to their end. Then reading the chain throws the pause, with what the chain can be
/// resumed from:
///
///     } catch let pause as ChainPause {
///         save(pause.messages)
///     }
///     … client.chain(PromptRequest(prompt: "", messages: saved), tools: tools) …
public struct ChainPause: Error, Sendable {
    /// Why, in the words of the tool.
    public var reason: String
    /// The call that paused.
    public internal(set) var call: ToolCall?
    /// All messages so far, with the results of the other calls of the round; see ``Chain/messages``.
    public internal(set) var messages: [ModelMessage] = []

    public init(_ reason: String = "") { self.reason = reason }
}

extension ToolCall {
    /// The id, for the result.
    fileprivate var resultID: String? { self.id.isEmpty ? nil : self.id }
}

extension ToolResult {
    /// What came of a call that went well.
    init(_ call: ToolCall, _ output: ToolOutput) {
        self.init(
            name: call.name, output: output.text, toolCallID: call.resultID, attachments: output.attachments)
    }

    /// What came of a call that threw.
    init(_ call: ToolCall, _ error: any Error) {
        let (type, message) =
            switch error {
            case let error as ToolError: (error.type, error.message)
            default: ("\(Swift.type(of: error))", "\(error)")
            }
        self.init(
            name: call.name, output: "Error: \(message)", toolCallID: call.resultID, exception: "\(type): \(message)")
    }

    /// What came of a call that was not to be.
    init(_ call: ToolCall, _ cancelled: ToolCallCancelled) {
        self.init(
            name: call.name, output: "Cancelled: \(cancelled.reason)", toolCallID: call.resultID,
            exception: "CancelToolCall: \(cancelled.reason)")
    }
}
