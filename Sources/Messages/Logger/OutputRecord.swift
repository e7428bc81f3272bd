import JSON

/// A piece of an answer, for the record, while its request is open.
public struct OutputRecord: Sendable, Equatable {
    public var request: ULID
    /// What the model said: a JSON array of the events ``SlotEvent/text(_:)``, ``SlotEvent/reasoning(_:)`` and
    /// ``SlotEvent/toolCall(_:)`` in their order. Texts that follow each other may have been joined.
    public var output: [UInt8]

    public init(request: ULID, output: [UInt8]) {
        self.request = request
        self.output = output
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try ULID.named("request", in: object)
        self.output = try object.require("output").expectRawArray("output")
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("request", self.request.description)
        object.add("output", raw: self.output)
    }
}

extension SlotEvent {
    /// Reads the array of an ``OutputRecord`` or of an ``EndRecord``.
    public static func output(decoding array: [UInt8]) throws(MessageError) -> [SlotEvent] {
        guard case .array(let elements)? = try? JSONValue(parsing: array, bounds: .logRecord) else {
            throw .wrongType("output", expected: "an array of events")
        }
        return try elements.map { element throws(MessageError) in try SlotEvent(output: element) }
    }

    /// Reads an event that is part of an answer, and no last one.
    init(output event: JSONValue) throws(MessageError) {
        switch (event["event"]?.string, event["text"]?.string) {
        case ("text", let text?): self = .text(text)
        case ("reasoning", let text?): self = .reasoning(text)
        case ("tool_call", _):
            guard let id = event["tool_call_id"]?.string, let name = event["name"]?.string,
                let arguments = event["arguments"], arguments.members != nil
            else { throw .wrongType("output", expected: "an array of events") }
            self = .toolCall(
                ToolCall(
                    id: id, name: name, arguments: arguments.serialized(),
                    isServerExecuted: event["server_executed"]?.bool ?? false))
        case ("tool_result", _): self = .toolResult(try ToolResult(event))
        case ("metadata", _): self = .metadata(try PartMetadata(event))
        default: throw .wrongType("output", expected: "an array of events")
        }
    }
}
