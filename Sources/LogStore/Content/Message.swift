import JSON

/// A message as llm stores it: who speaks, and in which parts.
struct Message {
    enum Role: String {
        case system, user, assistant
    }

    let role: Role
    let parts: [MessagePart]

    init(_ role: Role, _ parts: [MessagePart]) {
        self.role = role
        self.parts = parts
    }

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
        bytes.append(contentsOf: #"],"role":""#.utf8)
        bytes.append(contentsOf: self.role.rawValue.utf8)
        bytes.append(contentsOf: #""}"#.utf8)
        return bytes
    }
}

/// A part of a message.
enum MessagePart: Equatable {
    case text(String)
    case reasoning(String)
    /// The arguments are an object that Python can read.
    case toolCall(id: String, name: String, arguments: JSONValue)

    /// What the part is called in the file.
    var type: String {
        switch self {
        case .text: "text"
        case .reasoning: "reasoning"
        case .toolCall: "tool_call"
        }
    }

    /// About how many bytes it has.
    fileprivate var length: Int {
        switch self {
        case .text(let text), .reasoning(let text): text.utf8.count + 40
        case .toolCall: 200
        }
    }

    fileprivate func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .text(let text), .reasoning(let text):
            bytes.append(contentsOf: #"{"text":"#.utf8)
            JSONWriter.append(text, to: &bytes)
        case .toolCall(let id, let name, let arguments):
            bytes.append(contentsOf: #"{"arguments":"#.utf8)
            PythonJSON.append(arguments, to: &bytes, .canonical)
            bytes.append(contentsOf: #","name":"#.utf8)
            JSONWriter.append(name, to: &bytes)
            bytes.append(contentsOf: #","tool_call_id":"#.utf8)
            JSONWriter.append(id, to: &bytes)
        }
        bytes.append(contentsOf: #","type":""#.utf8)
        bytes.append(contentsOf: self.type.utf8)
        bytes.append(contentsOf: #""}"#.utf8)
    }
}
