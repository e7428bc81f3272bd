internal import GRDB
import JSON
import Messages

/// Makes the rows of `op: logs` (proto/client.md, LogsDone) of what the file holds.
///
/// As in llm, what was asked is the run of messages of the user and of tools at the end of the chain that a turn was given,
/// and what was answered are the messages that the turn has added to it.
struct LogRowBuilder {
    /// The longest text, in bytes; the file has it whole.
    static let textBound = 256 << 10
    /// The longest name of a conversation, in bytes: that of one is short.
    private static let nameBound = 1 << 10
    /// The longest JSON of a prompt's options, of its schema, of what came with it, and of all tool calls and results of an
    /// answer, and how many values it may hold: all of them together are fewer than a frame may have.
    static let jsonBound = 256 << 10
    static let jsonNodes = 64 << 10

    private let connection: ReadConnection
    private let messages: StoredMessages
    private let systems: SystemPrompts

    init(_ connection: ReadConnection) {
        self.connection = connection
        self.messages = StoredMessages(connection)
        self.systems = SystemPrompts(self.messages, bound: Self.textBound)
    }

    func close() { self.messages.close() }

    /// The row of a request or a turn; `nil` if there is neither.
    ///
    /// One that cannot be read is a row all the same, so that it hides no others.
    func build(_ id: String) throws -> EncodedRow? {
        do {
            return try self.read(id)
        } catch let error as DatabaseError where Self.concernsOneRow(error) {
            var object = JSONObjectBuilder()
            object.add("id", id)
            object.add("model", "")
            object.add("started_at_ms", 0)
            object.add("prompt", "")
            object.add("response", "")
            object.add("unreadable", "the row: \(error.message ?? "\(error.resultCode)")")
            return EncodedRow(bytes: object.finish(), nodes: 8)
        }
    }

    private static func concernsOneRow(_ error: DatabaseError) -> Bool {
        [.SQLITE_TOOBIG, .SQLITE_CORRUPT, .SQLITE_ERROR].contains(error.resultCode)
    }

    private func read(_ id: String) throws -> EncodedRow? {
        let request = try RequestRow(id, self.connection)
        let turn = try StoredTurn(id, self.connection)
        guard request != nil || turn != nil else { return nil }
        var object = JSONObjectBuilder(minimumCapacity: 1_024)
        var nodes = 48
        object.add("id", id)
        object.add("state", ifPresent: request?.state)
        object.add("uid", ifPresent: request?.uid)
        request?.origin.appendMandate(to: &object)
        object.add("provider", ifPresent: request?.provider)
        object.add("model", request?.model ?? turn?.model ?? "")
        object.add("started_at_ms", request?.startedMilliseconds ?? turn?.startedMilliseconds ?? 0)
        object.add("duration_ms", ifPresent: request?.durationMilliseconds ?? turn?.durationMilliseconds)

        let conversation = request?.conversation ?? turn?.thread
        object.add("conversation", ifPresent: conversation)
        object.add("conversation_name", ifPresent: try conversation.flatMap(self.name(of:)))
        var isTruncated = false
        var reasons: [String] = []
        let parent = request.map { $0.parent } ?? turn?.parent
        let system = try self.systems.text(conversation: conversation, hash: parent)
        object.add("system", ifPresent: system?.text)
        isTruncated = system?.isCut ?? false

        let prompt = try self.prompt(parent)
        reasons += prompt.problems
        object.add("prompt", prompt.text.text)
        if !prompt.attachments.isEmpty { object.add("attachments", rawElements: prompt.attachments.elements) }
        isTruncated = isTruncated || prompt.isCut

        let table = request != nil ? "requests" : "turns"
        let options = try self.json("options_json", of: "FROM \(table) WHERE id = ?", id)
        let schema = try self.json(
            "schemas.content", of: "FROM \(table) AS row JOIN schemas ON schemas.id = row.schema_id WHERE row.id = ?",
            id)
        if let options = options.value { object.add("options", options) }
        if let schema = schema.value { object.add("schema", schema) }
        nodes += (options.value?.nodeCount ?? 0) + (schema.value?.nodeCount ?? 0)
        isTruncated = isTruncated || options.isCut || schema.isCut

        let answer = try self.answer(request: request, turn: turn)
        reasons += answer.problems
        object.add("response", answer.text.text)
        if !answer.reasoning.isEmpty { object.add("reasoning", answer.reasoning.text) }
        if !answer.calls.isEmpty { object.add("tool_calls", rawElements: answer.calls.elements) }
        let results = prompt.results.elements + answer.results.elements
        if !results.isEmpty { object.add("tool_results", rawElements: results) }
        nodes += prompt.nodes + answer.nodes
        isTruncated = isTruncated || answer.isCut

        let usage = request?.usage ?? turn?.usage
        if let usage { object.add("usage", raw: usage.encoded) }
        nodes += usage?.details == nil ? 0 : ProtocolBounds.usageDetails
        object.add("finish_reason", ifPresent: request?.finishReason)
        if let annotations = request?.origin.annotations { object.add("annotations", annotations) }
        nodes += request?.origin.nodes ?? 0
        if let error = request?.encodedError { object.add("error", raw: error) }
        if isTruncated { object.add("truncated", true) }
        if !reasons.isEmpty { object.add("unreadable", reasons.joined(separator: "; ")) }
        return EncodedRow(bytes: object.finish(), nodes: nodes)
    }

    private func name(of conversation: String) throws -> String? {
        let name = try self.connection.row("SELECT name FROM threads WHERE id = ?", [.text(conversation)]) {
            $0.text(0)
        }
        guard let name = name ?? nil, !name.isEmpty else { return nil }
        return name.truncated(toUTF8Length: Self.nameBound)
    }

    // MARK: What was asked

    private func prompt(_ hash: String?) throws -> PromptContents {
        var prompt = PromptContents()
        let run = try self.messages.run(from: hash) { $0.role == "user" || $0.role == "tool" }
        prompt.problems = run.problem.map { ["the prompt: \($0)"] } ?? []
        for message in run.messages {
            for part in try self.messages.parts(of: message.hash) {
                switch (message.role, part.type) {
                case ("user", "text"): try self.messages.append(part, to: &prompt.text)
                case ("user", "attachment"): try self.append(part, to: &prompt.attachments, self.attachment)
                case (_, "tool_result"): try self.append(part, to: &prompt.results, Self.result)
                default: break
                }
            }
        }
        return prompt
    }

    /// A JSON object of a column, unless it is too long or none that a frame can hold.
    ///
    /// - Parameter rows: Which row, with one parameter for `id`.
    private func json(_ column: String, of rows: String, _ id: String) throws -> (value: JSONValue?, isCut: Bool) {
        let stored = try self.connection.row(
            "SELECT \(column) IS NOT NULL, CASE WHEN length(CAST(\(column) AS BLOB)) <= ? THEN \(column) END \(rows)",
            [.integer(Self.jsonBound), .text(id)]
        ) { (isStored: $0.integer(0) != 0, text: $0.text(1)) }
        guard let stored, stored.isStored else { return (nil, false) }
        let value = stored.text.flatMap { StoredJSON.value(Array($0.utf8), nodes: Self.jsonNodes) }
        guard let value, let members = value.members else { return (nil, true) }
        return (members.isEmpty ? nil : value, false)
    }

    // MARK: Objects

    /// Reads the JSON of a part and keeps what `object` makes of it.
    private func append(
        _ part: StoredMessages.Part, to list: inout BoundedList, _ object: (JSONValue) throws -> JSONValue
    ) throws {
        let payload = try self.messages.payload(of: part, atMost: Self.jsonBound + 1)
        guard payload.count <= Self.jsonBound, let value = StoredJSON.value(payload, nodes: Self.jsonNodes) else {
            return list.isCut = true
        }
        list.append(try object(value))
    }

    /// What an attachment is and where: not its bytes.
    private func attachment(_ part: JSONValue) throws -> JSONValue {
        let id = part["attachment"]?["id"]?.string ?? ""
        let row = try self.connection.row("SELECT type, url FROM attachments WHERE id = ?", [.text(id)]) {
            (type: $0.text(0), url: $0.text(1))
        }
        var members = [JSONValue.Member("id", .string(id))]
        if let type = row?.type { members.append(.init("type", .string(type))) }
        if let url = row?.url { members.append(.init("url", .string(url))) }
        return .object(members)
    }

    private static func call(_ part: JSONValue) -> JSONValue {
        let arguments = part["arguments"] ?? .object([])
        let object = arguments.members == nil ? PythonObject.raw(arguments.text()) : arguments
        return Self.call(
            ToolCall(
                id: part["tool_call_id"]?.string ?? "", name: part["name"]?.string ?? "",
                arguments: object.serialized(), isServerExecuted: part["server_executed"]?.bool ?? false))
    }

    private static func call(_ call: ToolCall) -> JSONValue {
        (try? JSONValue(parsing: call.encoded, bounds: StoredJSON.bounds)) ?? .object([])
    }

    /// What came of a call, without attachments.
    private static func result(_ part: JSONValue) -> JSONValue {
        let names = ["name", "output", "tool_call_id", "server_executed", "exception"]
        return .object((part.members ?? []).filter { names.contains($0.name) && !$0.value.isNull })
    }

    // MARK: What was answered

    private func answer(request: RequestRow?, turn: StoredTurn?) throws -> AnswerContents {
        guard let turn else { return try self.pieces(of: request) }
        var answer = AnswerContents()
        guard let tip = turn.tip, tip != turn.parent else { return answer }
        let run = try self.messages.run(from: tip) { $0.hash != turn.parent }
        if let problem = run.problem {
            answer.problems = ["the answer: \(problem)"]
        } else if run.end?.hash != turn.parent {
            answer.problems = ["the answer: its messages do not follow those of the prompt"]
        }
        for message in run.messages {
            for part in try self.messages.parts(of: message.hash) { try self.append(part, to: &answer) }
        }
        return answer
    }

    private func append(_ part: StoredMessages.Part, to answer: inout AnswerContents) throws {
        switch part.type {
        case "text": try self.messages.append(part, to: &answer.text)
        case "reasoning": try self.messages.append(part, to: &answer.reasoning)
        case "tool_call": try self.append(part, to: &answer.calls, Self.call)
        case "tool_result": try self.append(part, to: &answer.results, Self.result)
        default: break
        }
    }

    /// What has been delivered of an answer that is not finished.
    private func pieces(of request: RequestRow?) throws -> AnswerContents {
        var answer = AnswerContents()
        guard let request, request.state == "open" else { return answer }
        try self.connection.rows(
            "SELECT events FROM bulkhead_output WHERE request = ? ORDER BY sequence", [.text(request.id)]
        ) { row in
            let events = row.text(0).flatMap { try? SlotEvent.output(decoding: Array($0.utf8)) }
            for event in events ?? [] {
                switch event {
                case .text(let text): answer.text.append(text.utf8)
                case .reasoning(let text): answer.reasoning.append(text.utf8)
                case .toolCall(let call): answer.calls.append(Self.call(call))
                case .toolResult(let result): answer.results.append(Self.result(result.value))
                case .metadata, .done, .models, .error: break
                }
            }
            return !answer.text.isCut
        }
        return answer
    }
}
