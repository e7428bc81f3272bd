import JSON

/// Writes the frames that answer a client (proto/client.md). Every one carries the request's id and an event.
public enum ClientAnswer {
    /// The model begins to work on the request.
    ///
    /// - Parameters:
    ///   - conversation: The thread that the answer will be on record in; `nil` where prompts are not stored.
    ///   - attempt: Which attempt this is, where it is not the first.
    ///   - round: Of a chain.
    public static func start(
        id: RequestIdentifier, request: ULID, model: String, provider: String, conversation: String? = nil,
        attempt: Int? = nil, round: ChainRound? = nil
    ) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id.encoded)
        object.add("event", "start")
        object.add("request", request.description)
        object.add("model", model)
        object.add("provider", provider)
        object.add("conversation", ifPresent: conversation)
        object.add("attempt", ifPresent: attempt)
        round?.append(to: &object)
        return object.finish()
    }

    /// An event of a worker, as it came, under the client's id.
    public static func event(id: RequestIdentifier, _ event: [UInt8]) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: event.count + 160)
        object.add("id", raw: id.encoded)
        object.addMembers(ofObject: event)
        return object.finish()
    }

    /// The last frame of a prompt that succeeded: the worker's own, and what only the supervisor knows.
    ///
    /// - Parameters:
    ///   - attempts: How many there were, where there was more than one.
    ///   - round: Of a chain.
    public static func done(
        id: RequestIdentifier, request: ULID, model: String, provider: String, conversation: String? = nil,
        durationMilliseconds: Int, attempts: Int? = nil, round: ChainRound? = nil, _ event: [UInt8]
    ) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: event.count + 256)
        object.add("id", raw: id.encoded)
        object.addMembers(ofObject: event)
        object.add("request", request.description)
        object.add("model", model)
        object.add("provider", provider)
        object.add("conversation", ifPresent: conversation)
        object.add("duration_ms", durationMilliseconds)
        object.add("attempts", ifPresent: attempts)
        round?.append(to: &object)
        return object.finish()
    }

    /// The calls whose results a chain needs to go on.
    ///
    /// - Parameter done: The frame that would have been the last, had the round that ended called no tool; `nil` where a chain
    ///   is resumed, which begins with what it owed when it stopped.
    public static func round(id: RequestIdentifier, pending: [String], of done: [UInt8]? = nil) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: (done?.count ?? 0) + 128)
        object.add("id", raw: id.encoded)
        object.add("event", "round")
        object.add("pending", .array(pending.map(JSONValue.string)))
        if let done { object.addMembers(ofObject: done, but: ["id", "event"]) }
        return object.finish()
    }

    /// The last frame of an operation that answers at once. `name` and `value` are its result, if it has one.
    public static func done(id: RequestIdentifier, _ result: (name: StaticString, value: [UInt8])? = nil) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        if let result { object.add(result.name, raw: result.value) }
        return object.finish()
    }

    /// The last frame of an operation whose result is a list.
    public static func list(id: RequestIdentifier, _ name: StaticString, _ elements: [[UInt8]]) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: elements.reduce(128) { $0 + $1.count + 1 })
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        object.add(name, rawElements: elements)
        return object.finish()
    }

    /// The models, and what became of each provider's that was asked for its own, if they were.
    public static func models(id: RequestIdentifier, _ models: [[UInt8]], refreshed: [[UInt8]]? = nil) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: models.reduce(256) { $0 + $1.count + 1 })
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        object.add("models", rawElements: models)
        if let refreshed { object.add("refreshed", rawElements: refreshed) }
        return object.finish()
    }

    /// A group was begun, or, with `requests`, has ended: how many requests of it are on record.
    public static func group(id: RequestIdentifier, _ group: ULID, requests: Int? = nil) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        object.add("group", group.description)
        object.add("requests", ifPresent: requests)
        return object.finish()
    }

    /// What became of what an administrator wanted done with the store of secrets.
    public static func secrets(id: RequestIdentifier, _ answer: SecretsAnswer) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: 1024)
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        answer.append(to: &object)
        return object.finish()
    }

    /// The last frame of a reload that was taken.
    public static func reloaded(id: RequestIdentifier, _ report: ReloadReport) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        report.append(to: &object)
        return object.finish()
    }

    /// The last frame of a question to the record: rows as JSON text, and where the next page begins.
    public static func page(id: RequestIdentifier, _ name: StaticString, rows: [UInt8], next: String?) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: rows.count + 256)
        object.add("id", raw: id.encoded)
        object.add("event", "done")
        object.add(name, raw: rows)
        object.add("next", ifPresent: next)
        return object.finish()
    }

    /// The last frame of a request that failed, or, without an id, the last frame of a connection.
    ///
    /// - Parameters:
    ///   - request: The name on record of a request that was admitted.
    ///   - attempts: How many there were, where there was more than one.
    ///   - problems: What is wrong with a configuration, one thing a line (``ReloadReport/bounded(_:)``).
    public static func error(
        id: RequestIdentifier?, _ failure: Failure, request: ULID? = nil, usage: Usage? = nil, attempts: Int? = nil,
        problems: [String] = []
    ) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id?.encoded ?? Array("null".utf8))
        object.add("event", "error")
        object.add("error", raw: failure.encoded)
        object.add("request", ifPresent: request?.description)
        if let usage { object.add("usage", raw: usage.encoded) }
        object.add("attempts", ifPresent: attempts)
        if !problems.isEmpty { object.add("problems", .array(problems.map(JSONValue.string))) }
        return object.finish()
    }
}
