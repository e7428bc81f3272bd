import JSON

/// When a hook is asked (proto/hooks.md).
public enum HookEvent: String, Sendable, CaseIterable {
    case filterModels = "filter_models"
    case defaultModel = "default_model"
    case beforePrompt = "before_prompt"
    case afterResponse = "after_response"
    case groupExit = "group_exit"
}

/// A program that is asked about requests, as it is configured.
public struct HookSettings: Sendable, Equatable {
    public var name: String
    /// The program, an absolute path, and its arguments.
    public var command: [String]
    public var events: [HookEvent]
    /// From a question's making to its answer.
    public var timeoutMilliseconds: Int
    /// Whether a request is refused while there is no answer (`on_failure: closed`); else it goes on without one.
    public var isClosed: Bool

    public init(
        name: String, command: [String], events: [HookEvent], timeoutMilliseconds: Int = 5_000, isClosed: Bool = false
    ) {
        self.name = name
        self.command = command
        self.events = events
        self.timeoutMilliseconds = timeoutMilliseconds
        self.isClosed = isClosed
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add("command", .array(self.command.map(JSONValue.string)))
        object.add("events", .array(self.events.map { .string($0.rawValue) }))
        object.add("timeout_ms", self.timeoutMilliseconds)
        object.add("on_failure", self.isClosed ? "closed" : "open")
        return object.finish()
    }

    init(decoding value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string, let command = value["command"]?.strings, !command.isEmpty,
            let events = value["events"]?.strings, let timeout = value["timeout_ms"]?.integer,
            let onFailure = value["on_failure"]?.string
        else { throw .wrongType("hooks", expected: "an array of {name, command, events, timeout_ms, on_failure}") }
        self.init(
            name: name, command: command, events: events.compactMap(HookEvent.init), timeoutMilliseconds: timeout,
            isClosed: onFailure == "closed")
    }
}
