import JSON

/// Writes the frames that answer a client (proto/client.md). Every one carries the request's id and an event.
public enum ClientAnswer {
    /// The model begins to work on the request.
    ///
    /// - Parameters:
    ///   - conversation: The thread that the answer will be on record in; `nil` where prompts are not stored.
    ///   - attempt: Which attempt this is, where it is not the first.
    public static func start(
        id: RequestIdentifier, request: ULID, model: String, provider: String, conversation: String? = nil,
        attempt: Int? = nil
    ) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id.encoded)
        object.add("event", "start")
        object.add("request", request.description)
        object.add("model", model)
        object.add("provider", provider)
        object.add("conversation", ifPresent: conversation)
        object.add("attempt", ifPresent: attempt)
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
    /// - Parameter attempts: How many there were, where there was more than one.
    public static func done(
        id: RequestIdentifier, request: ULID, model: String, provider: String, conversation: String? = nil,
        durationMilliseconds: Int, attempts: Int? = nil, _ event: [UInt8]
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
    public static func error(
        id: RequestIdentifier?, _ failure: Failure, request: ULID? = nil, usage: Usage? = nil, attempts: Int? = nil
    ) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: id?.encoded ?? Array("null".utf8))
        object.add("event", "error")
        object.add("error", raw: failure.encoded)
        object.add("request", ifPresent: request?.description)
        if let usage { object.add("usage", raw: usage.encoded) }
        object.add("attempts", ifPresent: attempts)
        return object.finish()
    }
}
