import JSON

/// A tool call of a chat completion, whole or so far.
struct ChatToolCall {
    /// Empty where the provider gave none.
    private(set) var id: String
    private(set) var name: String
    private var index: Int?
    private var arguments: Arguments

    private enum Arguments {
        /// JSON as text, the usual form, which comes in pieces.
        case text([UInt8])
        /// JSON as it is.
        case value(JSONValue)
    }

    /// How many calls one answer may have.
    static let countBound = 256

    init(_ value: JSONValue) {
        let function = value["function"] ?? .null
        self.id = value["id"]?.string ?? ""
        self.name = function["name"]?.string ?? ""
        self.index = value["index"]?.integer
        switch function["arguments"] ?? .null {
        case .null: self.arguments = .text([])
        case .string(let text): self.arguments = .text(Array(text.utf8))
        case let value: self.arguments = .value(value)
        }
    }

    /// Whether `piece` belongs to this call.
    ///
    /// Pieces have the index of their call. Some providers send whole calls that all have the index 0, or none, and
    /// differ by their ids.
    func isContinued(by piece: ChatToolCall) -> Bool {
        if !piece.id.isEmpty, !self.id.isEmpty, piece.id != self.id { return false }
        if let index = piece.index { return index == self.index }
        return piece.id.isEmpty ? piece.name.isEmpty : piece.id == self.id
    }

    mutating func append(_ piece: ChatToolCall) {
        if self.id.isEmpty { self.id = piece.id }
        if self.name.isEmpty { self.name = piece.name }
        switch piece.arguments {
        case .value: self.arguments = piece.arguments
        case .text(let more):
            guard case .text(var text) = self.arguments else { return }
            // Not held twice, so that adding to it does not copy it.
            self.arguments = .text([])
            text += more
            self.arguments = .text(text)
        }
    }

    /// How many bytes it has; of arguments that are no text, how many their text has.
    var length: Int {
        let arguments =
            switch self.arguments {
            case .text(let text): text.count
            case .value(let value): value.serialized().count
            }
        return self.id.utf8.count + self.name.utf8.count + arguments
    }

    /// The arguments as the protocol wants them: an object.
    var encodedArguments: [UInt8] {
        switch self.arguments {
        case .text(let text): ToolArguments.encoded(String(decoding: text, as: UTF8.self))
        case .value(let value): ToolArguments.encoded(value)
        }
    }
}
