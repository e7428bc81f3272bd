import JSON

/// What the supervisor asks the reader (proto/reader.md).
public struct ReaderQuery: Sendable, Equatable {
    public enum Question: Sendable, Equatable {
        /// What was said so far in a conversation.
        case history(conversation: String)
        case logs(LogsRequest)
        case requests(RequestsRequest)
    }

    /// Names the question in the answer.
    public var number: Int
    /// Whose rows may be seen; `nil`: everybody's.
    public var uid: Int?
    public var question: Question

    public init(number: Int, uid: Int?, _ question: Question) {
        self.number = number
        self.uid = uid
        self.question = question
    }

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        self.number = try object.require("query").expectInteger("query", in: 0...Int.max)
        self.uid = try object.optional("uid")?.expectInteger("uid", in: 0...Int(UInt32.max))
        switch try object.require("op").expectString("op") {
        case "history":
            self.question = .history(conversation: try object.require("conversation").expectName("conversation"))
        case "logs": self.question = .logs(try LogsRequest(decoding: object))
        case "requests": self.question = .requests(try RequestsRequest(decoding: object))
        case let name: throw .invalidValue("op", "'\(name)' is not known")
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self.question {
        case .history(let conversation):
            object.add("op", "history")
            object.add("conversation", conversation)
        case .logs(let logs):
            object.add("op", "logs")
            logs.append(to: &object)
        case .requests(let requests):
            object.add("op", "requests")
            requests.append(to: &object)
        }
        object.add("query", self.number)
        object.add("uid", ifPresent: self.uid)
        return object.finish()
    }
}
