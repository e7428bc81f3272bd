import JSON

/// What the supervisor asks a hook (proto/hooks.md).
public struct HookQuestion: Sendable, Equatable {
    /// What a client wants that a hook is asked about.
    public enum Operation: String, Sendable, CaseIterable {
        case prompt, chain, embed, models, explain
        case groupBegin = "group_begin"
    }

    /// On whose behalf it is, and what for.
    public struct Subject: Sendable, Equatable {
        /// The configured user; `nil` where there are none, or none of them matches.
        public var caller: String?
        public var uid: Int
        public var gid: Int
        public var pid: Int
        /// The systemd unit, where it can be seen.
        public var unit: String?
        public var actor: String?
        public var purpose: String?
        public var group: ULID?

        public init(
            caller: String? = nil, uid: Int, gid: Int, pid: Int, unit: String? = nil, actor: String? = nil,
            purpose: String? = nil, group: ULID? = nil
        ) {
            self.caller = caller
            self.uid = uid
            self.gid = gid
            self.pid = pid
            self.unit = unit
            self.actor = actor
            self.purpose = purpose
            self.group = group
        }
    }

    /// How a request ended.
    public struct End: Sendable, Equatable {
        public var request: ULID
        public var state: EndRecord.State
        public var usage: Usage?
        public var durationMilliseconds: Int
        public var failure: Failure?

        public init(
            request: ULID, state: EndRecord.State, usage: Usage?, durationMilliseconds: Int, failure: Failure?
        ) {
            self.request = request
            self.state = state
            self.usage = usage
            self.durationMilliseconds = durationMilliseconds
            self.failure = failure
        }
    }

    public enum Content: Sendable, Equatable {
        /// Which of these may be used.
        case filterModels(Operation, models: [String])
        /// Which model answers a request that names none.
        case defaultModel(Operation)
        /// Whether the request may go on. `asked` are the members of it as its client sent them, a JSON object; `nil` where they are
        /// longer than ``ProtocolBounds/hookPrompt``.
        case beforePrompt(Operation, model: String, provider: String, asked: [UInt8]?)
        case afterResponse(Operation, model: String, provider: String, End)
        /// A group has ended, which had this many requests.
        case groupExit(requests: Int)
    }

    public var subject: Subject
    public var content: Content

    public init(_ subject: Subject, _ content: Content) {
        self.subject = subject
        self.content = content
    }

    public var event: HookEvent {
        switch self.content {
        case .filterModels: .filterModels
        case .defaultModel: .defaultModel
        case .beforePrompt: .beforePrompt
        case .afterResponse: .afterResponse
        case .groupExit: .groupExit
        }
    }

    /// All but the number, which each hook has its own of.
    public var body: [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: 512)
        object.add("event", self.event.rawValue)
        object.add("caller", raw: self.subject.encodedCaller)
        object.add("actor", ifPresent: self.subject.actor)
        object.add("purpose", ifPresent: self.subject.purpose)
        object.add("group", ifPresent: self.subject.group?.description)
        switch self.content {
        case .filterModels(let operation, let models):
            object.add("op", operation.rawValue)
            object.add("models", .array(models.map(JSONValue.string)))
        case .defaultModel(let operation):
            object.add("op", operation.rawValue)
        case .beforePrompt(let operation, let model, let provider, let asked):
            object.add("op", operation.rawValue)
            object.add("model", model)
            object.add("provider", provider)
            if let asked { object.addMembers(ofObject: asked) } else { object.add("truncated", true) }
        case .afterResponse(let operation, let model, let provider, let end):
            object.add("op", operation.rawValue)
            object.add("model", model)
            object.add("provider", provider)
            end.append(to: &object)
        case .groupExit(let requests):
            object.add("requests", requests)
        }
        return object.finish()
    }

    /// A question as it is sent: its body, under the number that the answer has.
    public static func frame(_ body: [UInt8], number: Int) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: body.count + 32)
        object.add("id", number)
        object.addMembers(ofObject: body)
        return object.finish()
    }
}

extension HookQuestion.Subject {
    fileprivate var encodedCaller: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", ifPresent: self.caller)
        object.add("uid", self.uid)
        object.add("gid", self.gid)
        object.add("pid", self.pid)
        object.add("unit", ifPresent: self.unit)
        return object.finish()
    }
}

extension HookQuestion.End {
    fileprivate func append(to object: inout JSONObjectBuilder) {
        object.add("request", self.request.description)
        object.add("state", self.state.rawValue)
        if let usage = self.usage { object.add("usage", raw: usage.encoded) }
        object.add("duration_ms", self.durationMilliseconds)
        if let failure = self.failure { object.add("error", raw: failure.encoded) }
    }
}
