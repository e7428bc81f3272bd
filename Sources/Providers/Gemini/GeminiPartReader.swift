import JSON
import Messages

/// Hands over the parts of an answer, each with what must go back with it.
struct GeminiPartReader {
    private let newIdentifier: () -> ULID
    /// The text or reasoning that more of its kind would be added to.
    private var open: PartMetadata.Target?
    private var callCount = 0
    /// The ids of the last calls of Google's tools, by the name of the tool: some results do not say which they answer.
    private var serverCalls: [String: String] = [:]

    /// How many calls one answer may have.
    private static let callBound = 256

    init(newIdentifier: @escaping () -> ULID) { self.newIdentifier = newIdentifier }

    mutating func read(_ part: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        if let call = part["functionCall"] {
            try self.readFunctionCall(call, of: part, into: output)
        } else if let call = part["toolCall"] {
            let name = Self.serverToolName(call["toolType"])
            try self.readServerCall(name, call["id"], arguments: call["args"], of: part, into: output)
        } else if let response = part["toolResponse"] {
            let name = Self.serverToolName(response["toolType"])
            let result = response["response"] ?? .object([])
            try self.readServerResult(name, response["id"], result, of: part, into: output)
        } else if let code = part["executableCode"] {
            try self.readServerCall("code_execution", code["id"], arguments: code, of: part, into: output)
        } else if let result = part["codeExecutionResult"] {
            try self.readServerResult("code_execution", result["id"], result, of: part, into: output)
        } else if let text = part["text"]?.string ?? Self.emptyText(part) {
            try self.readText(text, of: part, into: output)
        } else {
            let type = (part["inlineData"] ?? part["fileData"])?["mimeType"]?.string
            let names = (part.members ?? []).map(\.name).joined(separator: ", ").truncated(toUTF8Length: 128)
            throw .failed(
                .modelError,
                "the model answered with \(type.map { "data of type \($0)" } ?? "a part of an unknown kind (\(names))"), "
                    + "which this version cannot pass on")
        }
    }

    /// A part that holds nothing, or its signature alone, is an empty text.
    private static func emptyText(_ part: JSONValue) -> String? {
        let isEmpty = part.members?.allSatisfy { ["thoughtSignature", "thought"].contains($0.name) } == true
        return isEmpty ? "" : nil
    }

    private mutating func readText(_ text: String, of part: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        let kind: PartMetadata.Target = part["thought"]?.bool == true ? .reasoning : .text
        let signature = part["thoughtSignature"]?.string
        guard !text.isEmpty || signature != nil else { return }
        // A signature is of its own part alone, so that what came before without one must end first.
        if signature != nil, self.open == kind { try output.metadata(PartMetadata(kind, nil)) }
        if kind == .reasoning { try output.reasoning(text) } else { try output.text(text) }
        self.open = signature == nil ? kind : nil
        if let signature { try output.metadata(PartMetadata(kind, GeminiMetadata.signature(signature))) }
    }

    private mutating func readFunctionCall(
        _ call: JSONValue, of part: JSONValue, into output: AnswerOutput
    ) throws(RequestEnd) {
        guard let name = call["name"]?.string, !name.isEmpty else {
            throw .invalidResponse("a function call has no name")
        }
        try self.countCall()
        let arguments = ToolArguments.encoded(call["args"] ?? .null)
        try output.toolCall(ToolCall(id: self.identifier(call["id"]), name: name, arguments: arguments))
        guard let signature = part["thoughtSignature"]?.string else { return }
        try output.metadata(PartMetadata(.toolCall, GeminiMetadata.signature(signature)))
    }

    private mutating func readServerCall(
        _ name: String, _ id: JSONValue?, arguments: JSONValue?, of part: JSONValue, into output: AnswerOutput
    ) throws(RequestEnd) {
        try self.countCall()
        let id = self.identifier(id)
        self.serverCalls[name] = id
        let arguments = ToolArguments.encoded(arguments ?? .null)
        try output.toolCall(ToolCall(id: id, name: name, arguments: arguments, isServerExecuted: true))
        try output.metadata(PartMetadata(.toolCall, GeminiMetadata.value([.init("part", part)])))
    }

    private mutating func readServerResult(
        _ name: String, _ id: JSONValue?, _ result: JSONValue, of part: JSONValue, into output: AnswerOutput
    ) throws(RequestEnd) {
        self.open = nil
        let id = id?.string ?? self.serverCalls[name]
        let text = result.text(JSONFormat(isSpaced: true, escapesNonASCII: true))
        try output.toolResult(ToolResult(name: name, output: text, toolCallID: id, isServerExecuted: true))
        try output.metadata(PartMetadata(.toolResult, GeminiMetadata.value([.init("part", part)])))
    }

    private mutating func countCall() throws(RequestEnd) {
        self.open = nil
        self.callCount += 1
        guard self.callCount <= Self.callBound else {
            throw .failed(.answerTooLarge, "the answer has more than \(Self.callBound) tool calls")
        }
    }

    private func identifier(_ id: JSONValue?) -> String {
        guard let id = id?.string, !id.isEmpty else { return ToolCall.newID(self.newIdentifier) }
        return id
    }

    /// llm-gemini's names for Google's tools.
    private static func serverToolName(_ type: JSONValue?) -> String {
        switch type?.string {
        case nil, "": "server_side_tool"
        case "GOOGLE_SEARCH_WEB": "google_search"
        case let type?: type.lowercased()
        }
    }
}
