import JSON

/// What the reader tells the supervisor (proto/reader.md).
public enum ReaderReply: Sendable, Equatable {
    /// The file is open.
    case ready(protocolVersion: Int, version: String)
    case history(query: Int, History)
    /// Rows as a JSON array, and where the next page begins, if there is one.
    case page(query: Int, rows: [UInt8], next: String?)
    /// There is no answer: why.
    case error(query: Int, Failure)

    /// What was said so far in a conversation.
    public struct History: Sendable, Equatable {
        /// The hash of the last message; `nil` where there is none, as after a first prompt that failed.
        public var tip: String?
        /// The model of the newest turn.
        public var model: String?
        /// The system prompt that the conversation began with.
        public var system: String?
        /// The messages, oldest first: a JSON array of ``ModelMessage``.
        public var messages: [UInt8]

        public init(tip: String?, model: String?, system: String?, messages: [UInt8]) {
            self.tip = tip
            self.model = model
            self.system = system
            self.messages = messages
        }
    }

    private static let codes: [ErrorCode] = [.notFound, .invalidRequest, .logUnavailable]

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        let event = try object.require("event").expectString("event")
        if event == "ready" {
            self = .ready(
                protocolVersion: try object.require("protocol").expectInteger("protocol", in: 0...Int(Int32.max)),
                version: try object.require("version").expectString("version"))
            return
        }
        let query = try object.require("query").expectInteger("query", in: 0...Int.max)
        switch event {
        case "history":
            self = .history(
                query: query,
                History(
                    tip: try object.optional("tip")?.expectName("tip"),
                    model: try object.optional("model")?.expectString("model"),
                    system: try object.optional("system")?.expectString("system"),
                    messages: try object.require("messages").expectRawArray("messages")))
        case "page":
            self = .page(
                query: query, rows: try object.require("rows").expectRawArray("rows"),
                next: try object.optional("next")?.expectString("next"))
        case "error":
            let failure = try Failure(decoding: try object.require("error"))
            guard Self.codes.contains(failure.code) else {
                throw .invalidValue("code", "'\(failure.code.rawValue)' is not a reader's to say")
            }
            self = .error(query: query, failure)
        default: throw .invalidValue("event", "'\(event)' is not known")
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .ready(let protocolVersion, let version):
            object.add("event", "ready")
            object.add("protocol", protocolVersion)
            object.add("version", version)
        case .history(let query, let history):
            object.add("event", "history")
            object.add("query", query)
            object.add("tip", ifPresent: history.tip)
            object.add("model", ifPresent: history.model)
            object.add("system", ifPresent: history.system)
            object.add("messages", raw: history.messages)
        case .page(let query, let rows, let next):
            object.add("event", "page")
            object.add("query", query)
            object.add("rows", raw: rows)
            object.add("next", ifPresent: next)
        case .error(let query, let failure):
            object.add("event", "error")
            object.add("query", query)
            object.add("error", raw: failure.encoded)
        }
        return object.finish()
    }
}
