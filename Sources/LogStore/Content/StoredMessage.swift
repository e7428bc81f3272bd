import JSON
import Messages

/// A message as llm stores it, and as Python can read it.
struct StoredMessage {
    let role: ModelMessage.Role
    let parts: [StoredPart]
    private let providerMetadata: JSONValue?

    init(_ message: ModelMessage) {
        self.role = message.role
        self.parts = message.parts.map(StoredPart.init)
        self.providerMetadata = message.providerMetadata.map(PythonObject.readable)
    }

    /// The texts of its text parts, joined: what a search finds.
    var text: String {
        if let only = self.parts.first, self.parts.count == 1 { return only.isText ? only.text ?? "" : "" }
        return self.parts.reduce(into: "") { text, part in
            if part.isText { text += part.text ?? "" }
        }
    }

    /// The provider's metadata as it is stored.
    var encodedMetadata: String? { self.providerMetadata.map { PythonJSON.text($0, .plain) } }

    /// The hash of this message when it follows `parent`.
    func hash(after parent: String?) -> String { MessageHash.of(canonical: self.canonical, parent: parent) }

    /// The message as canonical JSON, names in order.
    private var canonical: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + self.parts.reduce(0) { $0 + $1.length })
        bytes.append(contentsOf: #"{"parts":["#.utf8)
        for (index, part) in self.parts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            part.appendCanonical(to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        if let metadata = self.providerMetadata {
            bytes.append(contentsOf: #","provider_metadata":"#.utf8)
            PythonJSON.append(metadata, to: &bytes, .canonical)
        }
        bytes.append(contentsOf: #","role":""#.utf8)
        bytes.append(contentsOf: self.role.rawValue.utf8)
        bytes.append(contentsOf: #""}"#.utf8)
        return bytes
    }
}

/// A part of a message as llm stores it: its text, its attachments, and what else it has as JSON.
struct StoredPart {
    /// What the part is called in the file.
    let type: String
    /// The text of a text or a reasoning.
    let text: String?
    let toolName: String?
    let attachments: [StoredAttachment]
    /// Everything but the type and the text, in llm's order; attachments stand there as they came.
    private let members: [JSONValue.Member]

    init(_ part: MessagePart) {
        self.type = part.type
        var text: String?
        var toolName: String?
        switch part.content {
        case .text(let literal), .reasoning(let literal, _): text = literal
        case .attachment: break
        case .toolCall(let call): toolName = call.name
        case .toolResult(let result): toolName = result.name
        }
        self.text = text
        self.toolName = toolName
        self.attachments = part.content.attachments.map(StoredAttachment.init)
        if case .text = part.content, part.providerMetadata == nil {
            self.members = []
        } else {
            self.members = (part.value.members ?? []).compactMap(Self.stored)
        }
    }

    var isText: Bool { self.type == "text" }

    /// The JSON that is stored beside the columns, with attachments by the names of their rows; `nil` where there is none.
    func payload(attachments: [String]) -> String? {
        guard !self.members.isEmpty else { return nil }
        let references = attachments.map { JSONValue.object([JSONValue.Member("id", .string($0))]) }
        return PythonJSON.text(.object(self.members(with: references)), .plain)
    }

    /// About how many bytes it has.
    fileprivate var length: Int { (self.text?.utf8.count ?? 0) + 40 + self.members.count * 60 }

    fileprivate func appendCanonical(to bytes: inout [UInt8]) {
        guard self.members.isEmpty, let text = self.text else {
            var members = self.members(with: self.attachments.map(\.identity))
            members.append(JSONValue.Member("type", .string(self.type)))
            if let text = self.text { members.append(JSONValue.Member("text", .string(text))) }
            return PythonJSON.append(.object(members), to: &bytes, .canonical)
        }
        bytes.append(contentsOf: #"{"text":"#.utf8)
        JSONWriter.append(text, to: &bytes)
        bytes.append(contentsOf: #","type":""#.utf8)
        bytes.append(contentsOf: self.type.utf8)
        bytes.append(contentsOf: #""}"#.utf8)
    }

    /// The members with the attachments replaced.
    private func members(with attachments: [JSONValue]) -> [JSONValue.Member] {
        self.members.map { member in
            switch member.name {
            case "attachment": JSONValue.Member(member.name, attachments[0])
            case "attachments": JSONValue.Member(member.name, .array(attachments))
            default: member
            }
        }
    }

    /// `nil` for what has a column of its own.
    private static func stored(_ member: JSONValue.Member) -> JSONValue.Member? {
        switch member.name {
        case "type", "text": nil
        case "arguments", "provider_metadata": JSONValue.Member(member.name, PythonObject.readable(member.value))
        default: member
        }
    }
}
