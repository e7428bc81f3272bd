import JSON

/// The name of a message in llm's store: a digest of the message and of the name of the one before it.
///
/// The same text at another place of a conversation is another message, and conversations that begin alike share rows.
enum MessageHash {
    /// - Parameters:
    ///   - canonical: The message as canonical JSON.
    ///   - parent: The hash of the message before it; `nil` for the first.
    static func of(canonical: [UInt8], parent: String?) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(canonical.count + 64)
        text.append(contentsOf: #"{"message":"#.utf8)
        text.append(contentsOf: canonical)
        text.append(contentsOf: #","parent":"#.utf8)
        if let parent {
            JSONWriter.append(parent, to: &text)
        } else {
            text.append(contentsOf: "null".utf8)
        }
        text.append(UInt8(ascii: "}"))
        return "b2:" + Digest.blake2b16(text)
    }

    /// The hash of any message in llm's wire form; attachments count by their ids and types.
    static func of(wire: JSONValue, parent: String?) -> String {
        Self.of(canonical: PythonJSON.bytes(Self.hashed(wire), .canonical), parent: parent)
    }

    private static func hashed(_ wire: JSONValue) -> JSONValue {
        wire.mappingMember("parts") { parts in
            .array(
                (parts.array ?? []).map { part in
                    part.mappingMember("attachment", Self.attachment)
                        .mappingMember("attachments") { .array(($0.array ?? []).map(Self.attachment)) }
                })
        }
    }

    private static func attachment(_ wire: JSONValue) -> JSONValue {
        .object([
            JSONValue.Member("id", .string(ContentIdentity.attachment(wire))),
            JSONValue.Member("type", wire["type"] ?? .null),
        ])
    }
}

extension JSONValue {
    /// This object with the value of the member `name` replaced; unchanged where there is none.
    fileprivate func mappingMember(_ name: String, _ transform: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(var members) = self, let index = members.firstIndex(where: { $0.name == name }) else {
            return self
        }
        members[index].value = transform(members[index].value)
        return .object(members)
    }
}
