import JSON

// A question as a hook reads it. The supervisor only writes questions; tests and the simulation play hooks.
extension HookQuestion {
    /// The members of ``Content/beforePrompt(_:model:provider:asked:)`` that are not the client's.
    private static let own = ["id", "event", "caller", "actor", "purpose", "group", "op", "model", "provider"]

    /// - Returns: The question, and the number that its answer must have.
    public static func decode(_ bytes: [UInt8]) throws(MessageError) -> (number: Int, question: HookQuestion) {
        let object = try JSONObject.internalMessage(bytes)
        let number = try object.require("id").expectInteger("id", in: 0...Int.max)
        return (number, HookQuestion(try Subject(decoding: object), try Self.content(of: object)))
    }

    private static func content(of object: JSONObject) throws(MessageError) -> Content {
        let name = try object.require("event").expectString("event")
        guard let event = HookEvent(rawValue: name) else { throw .invalidValue("event", "'\(name)' is not known") }
        switch event {
        case .filterModels:
            return .filterModels(
                try Self.operation(of: object), models: try object.require("models").expectStrings("models"))
        case .defaultModel:
            return .defaultModel(try Self.operation(of: object))
        case .beforePrompt:
            return .beforePrompt(
                try Self.operation(of: object), model: try object.require("model").expectString("model"),
                provider: try object.require("provider").expectString("provider"), asked: Self.asked(in: object))
        case .afterResponse:
            return .afterResponse(
                try Self.operation(of: object), model: try object.require("model").expectString("model"),
                provider: try object.require("provider").expectString("provider"), try End(decoding: object))
        case .groupExit:
            return .groupExit(requests: try object.require("requests").expectInteger("requests", in: 0...Int.max))
        }
    }

    private static func operation(of object: JSONObject) throws(MessageError) -> Operation {
        let name = try object.require("op").expectString("op")
        guard let operation = Operation(rawValue: name) else { throw .invalidValue("op", "'\(name)' is not known") }
        return operation
    }

    private static func asked(in object: JSONObject) -> [UInt8]? {
        guard object.optional("truncated") == nil else { return nil }
        var asked = JSONObjectBuilder()
        asked.addMembers(ofObject: object.bytes, but: Self.own)
        return asked.finish()
    }
}

extension HookQuestion.Subject {
    init(decoding object: JSONObject) throws(MessageError) {
        let caller = try object.require("caller").expectObject("caller")
        let ids = 0...Int(UInt32.max)
        self.init(
            caller: try caller.optional("name")?.expectString("name"),
            uid: try caller.require("uid").expectInteger("uid", in: ids),
            gid: try caller.require("gid").expectInteger("gid", in: ids),
            pid: try caller.require("pid").expectInteger("pid", in: 0...Int(Int32.max)),
            unit: try caller.optional("unit")?.expectString("unit"),
            actor: try object.optional("actor")?.expectString("actor"),
            purpose: try object.optional("purpose")?.expectString("purpose"),
            group: try object.optional("group").map { slice throws(MessageError) in
                guard let group = ULID(try slice.expectString("group")) else {
                    throw .wrongType("group", expected: "a ULID")
                }
                return group
            })
    }
}

extension HookQuestion.End {
    init(decoding object: JSONObject) throws(MessageError) {
        guard let request = ULID(try object.require("request").expectString("request")) else {
            throw .wrongType("request", expected: "a ULID")
        }
        let name = try object.require("state").expectString("state")
        guard let state = EndRecord.State(rawValue: name) else { throw .invalidValue("state", "'\(name)'") }
        self.init(
            request: request, state: state,
            usage: try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) },
            durationMilliseconds: try object.require("duration_ms").expectInteger("duration_ms", in: 0...Int.max),
            failure: try object.optional("error").map { slice throws(MessageError) in try Failure(decoding: slice) })
    }
}
