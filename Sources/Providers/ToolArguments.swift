import JSON
import Messages

/// The arguments of a tool call, made fit for the protocol.
enum ToolArguments {
    /// What arguments may nest: an event adds levels around them, and its reader counts those too.
    private static let bounds = JSONBounds(depth: 56, nodes: 200_000, refusesLoneSurrogates: false)

    /// The object that `text` holds, `{}` for none at all, or `{"_raw":text}` for anything else.
    static func encoded(_ text: String) -> [UInt8] {
        guard text.unicodeScalars.contains(where: { !$0.isPythonSpace }) else { return Array("{}".utf8) }
        guard let value = try? JSONValue(parsing: text, bounds: Self.bounds), value.members != nil else {
            return Self.raw(text)
        }
        // Written anew: half a surrogate pair, which a provider may send, must not travel on.
        return value.serialized()
    }

    /// The same for arguments that came as JSON rather than as text that holds JSON.
    static func encoded(_ value: JSONValue) -> [UInt8] {
        switch value {
        case .null: Array("{}".utf8)
        case .string(let text): Self.raw(text)
        case .object: Self.encoded(value.text())
        default: Self.raw(value.text())
        }
    }

    /// The arguments of a call as text that holds JSON, written as llm writes it.
    static func text(_ call: ToolCall) -> String {
        let value = (try? JSONValue(parsing: call.arguments, bounds: .lenient)) ?? .object([])
        return value.text(JSONFormat(isSpaced: true, escapesNonASCII: true))
    }

    private static func raw(_ text: String) -> [UInt8] {
        JSONValue.object([.init("_raw", .string(text))]).serialized()
    }
}
