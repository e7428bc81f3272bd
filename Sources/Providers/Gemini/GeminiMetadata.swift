import JSON
import Messages

/// What Gemini wants to see again with a part, under its name in `provider_metadata`, as llm-gemini keeps it.
///
/// | Member              | Of                                        |                                                  |
/// |---------------------|-------------------------------------------|--------------------------------------------------|
/// | `thoughtSignature`  | a text, a reasoning, a function call      | goes back with exactly this part                 |
/// | `part`              | a call and result of one of Google's tools | the part as it came, which goes back in its place |
/// | `groundingMetadata`, `urlContextMetadata` | the message           | where the answer comes from; never sent back     |
enum GeminiMetadata {
    private static let name = "gemini"

    static func value(_ members: [JSONValue.Member]) -> JSONValue {
        .object([.init(Self.name, .object(members))])
    }

    static func signature(_ signature: String) -> JSONValue {
        Self.value([.init("thoughtSignature", .string(signature))])
    }

    /// The member for a part that is sent again: its signature, if it has one.
    static func signatureMember(of part: MessagePart) -> [JSONValue.Member] {
        guard let signature = part.providerMetadata?[Self.name]?["thoughtSignature"]?.string else { return [] }
        return [.init("thoughtSignature", .string(signature))]
    }

    /// The part as Gemini wrote it.
    static func nativePart(of part: MessagePart) -> JSONValue? {
        guard let native = part.providerMetadata?[Self.name]?["part"], native.members != nil else { return nil }
        return native
    }
}
