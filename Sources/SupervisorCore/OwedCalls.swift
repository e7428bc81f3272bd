import JSON
import Messages

/// The tool calls that a chain needs the results of before its next round, in the order in which the model made them.
///
/// A call that nobody can run has its result at once: the daemon says to the model what is wrong with it, as llm does.
struct OwedCalls: Sendable, Equatable {
    private struct Call: Equatable {
        let id: String
        let name: String
        var result: ToolResult?
        /// What all of it holds, in bytes.
        var length: Int
    }

    /// How many calls a round may have: results are looked for among them one by one.
    static let countBound = 1024
    /// What a value holds besides its text, in bytes.
    private static let overhead = 128

    /// The names of the tools that the client can run.
    private let tools: Set<String>
    private var calls: [Call] = []
    /// The results that the daemon made itself and the client was not told yet.
    private(set) var untold: [ToolResult] = []

    init(tools: Set<String>) { self.tools = tools }

    var isEmpty: Bool { self.calls.isEmpty }
    /// Whether every call has its result.
    var isSettled: Bool { self.calls.allSatisfy { $0.result != nil } }
    /// The ids of the calls whose results are owed; an empty one where the call has none.
    var pending: [String] { self.calls.filter { $0.result == nil }.map(\.id) }
    /// The results so far, in the order of the calls.
    var results: [ToolResult] { self.calls.compactMap(\.result) }

    /// What calls and results hold, in bytes.
    private(set) var length = 0
    /// Whether there are more than ``countBound``.
    var areTooMany: Bool { self.calls.count > Self.countBound }

    /// The model called a tool. What the provider runs itself is not owed.
    mutating func append(_ call: ToolCall) {
        guard !call.isServerExecuted else { return }
        var result: ToolResult?
        if !self.tools.contains(call.name) {
            let name = call.name.truncated(toUTF8Length: ProtocolBounds.nameLength)
            result = Self.refusal(of: call, "tool \"\(name)\" does not exist", "KeyError", isQuoted: true)
        } else if call.isUnreadable {
            result = Self.refusal(
                of: call, "the arguments of tool \"\(call.name)\" are not a JSON object", "ValueError", isQuoted: false)
        }
        let length =
            Self.overhead + call.id.utf8.count + call.name.utf8.count + (result.map { Self.length(of: $0) } ?? 0)
        self.calls.append(Call(id: call.id, name: call.name, result: result, length: length))
        self.length += length
        if let result { self.untold.append(result) }
    }

    /// Python's text of a KeyError is the representation of what it was made of; that of others is the text itself.
    private static func refusal(of call: ToolCall, _ text: String, _ type: String, isQuoted: Bool) -> ToolResult {
        ToolResult(
            name: call.name.truncated(toUTF8Length: ProtocolBounds.nameLength), output: "Error: \(text)",
            toolCallID: call.id.isEmpty ? nil : call.id,
            exception: "\(type): \(isQuoted ? "'\(text)'" : text)")
    }

    /// Takes what the daemon said itself, to be told.
    mutating func takeUntold() -> [ToolResult] {
        defer { self.untold = [] }
        return self.untold
    }

    /// Forgets the calls and their results.
    mutating func removeAll() { (self.calls, self.untold, self.length) = ([], [], 0) }

    /// What a result holds: as JSON, in which it is sent on, and more than that where it is many small things.
    private static func length(of result: ToolResult) -> Int {
        result.value.serialized().count + Self.overhead * (1 + result.attachments.count)
    }

    /// Takes results that the client sends: all of them, or none.
    mutating func take(_ results: [ToolResult]) throws(Failure) {
        var calls = self.calls
        var added = 0
        for var result in results {
            let index = calls.firstIndex { call in
                call.result == nil && (result.toolCallID.map { $0 == call.id } ?? (result.name == call.name))
            }
            guard let index else {
                let name = result.toolCallID.map { "with the id '\($0)'" } ?? "of the tool '\(result.name)'"
                throw Failure(
                    .invalidRequest,
                    "no result of a call \(name.truncated(toUTF8Length: 300)) is owed: there is none, or it is answered; nothing was taken"
                )
            }
            if result.name.isEmpty { result.name = calls[index].name }
            if result.toolCallID == nil, !calls[index].id.isEmpty { result.toolCallID = calls[index].id }
            result.isServerExecuted = false
            calls[index].result = result
            let length = Self.length(of: result)
            calls[index].length += length
            added += length
        }
        self.calls = calls
        self.length += added
    }
}

extension ToolCall {
    /// Whether the model wrote arguments that are no JSON object.
    fileprivate var isUnreadable: Bool {
        guard let members = (try? JSONObject(self.arguments, bounds: .lenient))?.members else { return true }
        return members.count == 1 && members[0].name == "_raw"
    }
}
