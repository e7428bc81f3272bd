import JSON
import Messages

/// What a prompt that is a JSON object makes echo do; any other prompt is only repeated.
///
/// | Member       | Meaning                                                                    |
/// |--------------|----------------------------------------------------------------------------|
/// | `raw`        | unless null: the whole answer                                              |
/// | `prompt`     | what is repeated in place of the prompt; `""` where it is absent           |
/// | `tool_calls` | an array of `{"name":…,"arguments":…}`: tools that the answer wants called |
struct EchoDirections {
    var raw = JSONValue.null
    var prompt: JSONValue
    var toolCalls: [(name: String, arguments: [UInt8])] = []

    init(_ text: String) throws(RequestEnd) {
        self.prompt = .string(text)
        guard let first = text.unicodeScalars.first(where: { !$0.isPythonSpace }), first == "{",
            let directions = try? JSONValue(parsing: text, bounds: .lenient)
        else { return }
        self.raw = directions["raw"] ?? .null
        self.prompt = directions["prompt"] ?? .string("")
        for call in try Self.elements(directions["tool_calls"] ?? .null) {
            self.toolCalls.append(try Self.toolCall(call))
        }
    }

    /// What Python's `for` would go through; what it counts as false is passed over.
    private static func elements(_ value: JSONValue) throws(RequestEnd) -> [JSONValue] {
        switch value {
        case let value where value.isPythonFalse: return []
        case .array(let elements): return elements
        case .object, .string: throw .failed(.modelError, "TypeError: string indices must be integers, not 'str'")
        default: throw .failed(.modelError, "TypeError: '\(value.pythonType)' object is not iterable")
        }
    }

    private static func toolCall(_ value: JSONValue) throws(RequestEnd) -> (name: String, arguments: [UInt8]) {
        switch value {
        case .object: break
        case .string: throw .failed(.modelError, "TypeError: string indices must be integers, not 'str'")
        case .array: throw .failed(.modelError, "TypeError: list indices must be integers or slices, not str")
        default: throw .failed(.modelError, "TypeError: '\(value.pythonType)' object is not subscriptable")
        }
        guard let name = value["name"] else { throw .failed(.modelError, "KeyError: 'name'") }
        guard let name = name.string else {
            throw .failed(.modelError, "TypeError: a tool call's 'name' must be a string")
        }
        let arguments = value["arguments"] ?? .null
        return (name, ToolArguments.encoded(arguments.isPythonFalse ? .null : arguments))
    }
}
