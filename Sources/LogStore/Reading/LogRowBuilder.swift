internal import GRDB
import JSON
import Messages

/// Makes the rows of `op: logs` (proto/client.md, LogsDone) of what the file holds.
///
/// As in llm, what was asked is the run of messages of the user and of tools at the end of the chain that a turn was given,
/// and what was answered are the messages that the turn has added to it.
struct LogRowBuilder {
    /// The longest text, in bytes; the file has it whole.
    private static let textBound = 256 << 10
    /// The longest JSON of a prompt's options, and of all tool calls of an answer, and how many values it may hold.
    private static let jsonBound = 256 << 10
    private static let jsonNodes = 64 << 10

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
        isTruncated = isTruncated || prompt.text.isCut

        let options = try self.options(request: request, turn: turn)
        if let value = options.value {
            object.add("options", value)
            nodes += value.nodeCount
        }
        isTruncated = isTruncated || options.isCut

        let answer = try self.answer(request: request, turn: turn)
        reasons += answer.problems
        object.add("response", answer.text.text)
        if !answer.reasoning.isEmpty { object.add("reasoning", answer.reasoning.text) }
        if !answer.calls.isEmpty { object.add("tool_calls", rawElements: answer.calls) }
        nodes += answer.nodes
        isTruncated = isTruncated || answer.isCut

        let usage = request?.usage ?? turn?.usage
        if let usage { object.add("usage", raw: usage.encoded) }
        nodes += usage?.details == nil ? 0 : ProtocolBounds.usageDetails
        object.add("finish_reason", ifPresent: request?.finishReason)
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
        return name.truncated(toUTF8Length: Self.textBound)
    }

    // MARK: What was asked

    private func prompt(_ hash: String?) throws -> (text: BoundedText, problems: [String]) {
        var text = BoundedText(bound: Self.textBound)
        let run = try self.messages.run(from: hash) { $0.role == "user" || $0.role == "tool" }
        for message in run.messages where message.role == "user" {
            for part in try self.messages.parts(of: message.hash) where part.type == "text" {
                try self.messages.append(part, to: &text)
            }
        }
        return (text, run.problem.map { ["the prompt: \($0)"] } ?? [])
    }

    private func options(request: RequestRow?, turn: StoredTurn?) throws -> (value: JSONValue?, isCut: Bool) {
        let table = request != nil ? "requests" : "turns"
        let stored = try self.connection.row(
            """
            SELECT options_json IS NOT NULL, CASE WHEN length(CAST(options_json AS BLOB)) <= ? THEN options_json END
            FROM \(table) WHERE id = ?
            """, [.integer(Self.jsonBound), .text(request?.id ?? turn?.id ?? "")]
        ) { (isStored: $0.integer(0) != 0, text: $0.text(1)) }
        guard let stored, stored.isStored else { return (nil, false) }
        let value = stored.text.flatMap { StoredJSON.value(Array($0.utf8), nodes: Self.jsonNodes) }
        guard let value, let members = value.members else { return (nil, true) }
        return (members.isEmpty ? nil : value, false)
    }

    // MARK: What was answered

    private struct AnswerTexts {
        var text = BoundedText(bound: LogRowBuilder.textBound)
        var reasoning = BoundedText(bound: LogRowBuilder.textBound)
        var calls: [[UInt8]] = []
        var nodes = 0
        var problems: [String] = []
        var hasDroppedCalls = false
        private var callBytes = 0

        var isCut: Bool { self.text.isCut || self.reasoning.isCut || self.hasDroppedCalls }

        mutating func append(_ call: ToolCall, nodes: Int) {
            let encoded = call.encoded
            guard self.callBytes + encoded.count <= LogRowBuilder.jsonBound,
                self.nodes + nodes + 4 <= LogRowBuilder.jsonNodes
            else {
                self.hasDroppedCalls = true
                return
            }
            self.calls.append(encoded)
            self.callBytes += encoded.count
            self.nodes += nodes + 4
        }
    }

    private func answer(request: RequestRow?, turn: StoredTurn?) throws -> AnswerTexts {
        guard let turn else { return try self.pieces(of: request) }
        var answer = AnswerTexts()
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

    private func append(_ part: StoredMessages.Part, to answer: inout AnswerTexts) throws {
        switch part.type {
        case "text": try self.messages.append(part, to: &answer.text)
        case "reasoning": try self.messages.append(part, to: &answer.reasoning)
        case "tool_call":
            let payload = try self.messages.payload(of: part, atMost: Self.jsonBound + 1)
            guard payload.count <= Self.jsonBound, let value = StoredJSON.value(payload, nodes: Self.jsonNodes) else {
                return answer.hasDroppedCalls = true
            }
            let arguments = value["arguments"] ?? .object([])
            let object =
                arguments.members == nil ? .object([JSONValue.Member("_raw", .string(arguments.text()))]) : arguments
            answer.append(
                ToolCall(
                    id: value["tool_call_id"]?.string ?? "", name: value["name"]?.string ?? "",
                    arguments: object.serialized()), nodes: object.nodeCount)
        default: break
        }
    }

    /// What has been delivered of an answer that is not finished.
    private func pieces(of request: RequestRow?) throws -> AnswerTexts {
        var answer = AnswerTexts()
        guard let request, request.state == "open" else { return answer }
        try self.connection.rows(
            "SELECT events FROM bulkhead_output WHERE request = ? ORDER BY sequence", [.text(request.id)]
        ) { row in
            let events = row.text(0).flatMap { try? SlotEvent.output(decoding: Array($0.utf8)) }
            for event in events ?? [] {
                switch event {
                case .text(let text): answer.text.append(text.utf8)
                case .reasoning(let text): answer.reasoning.append(text.utf8)
                case .toolCall(let call):
                    answer.append(call, nodes: StoredJSON.value(call.arguments)?.nodeCount ?? 1)
                case .toolResult, .metadata, .done, .error: break
                }
            }
            return !answer.text.isCut
        }
        return answer
    }
}

/// A row of llm's table of turns.
struct StoredTurn {
    let id: String
    let thread: String?
    let parent: String?
    let tip: String?
    let model: String?
    let startedMilliseconds: Int?
    let durationMilliseconds: Int?
    let usage: Usage?

    /// `nil` if there is no such row.
    init?(_ id: String, _ connection: ReadConnection) throws {
        let row = try connection.row(
            """
            SELECT thread_id, parent_message_hash, tip_message_hash, model, duration_ms, input_tokens, output_tokens,
                token_details, strftime('%s', datetime_utc) * 1000 + substr(strftime('%f', datetime_utc), 4)
            FROM turns WHERE id = ?
            """, [.text(id)]
        ) { row in StoredTurn(id, row) }
        guard let row else { return nil }
        self = row
    }

    private init(_ id: String, _ row: PreparedStatement) {
        self.id = id
        self.thread = row.text(0)
        self.parent = row.text(1)
        self.tip = row.text(2)
        self.model = row.text(3)
        self.durationMilliseconds = row.optionalInteger(4).map { max($0, 0) }
        self.usage = Usage(input: row.optionalInteger(5), output: row.optionalInteger(6), storedDetails: row.text(7))
        self.startedMilliseconds = row.optionalInteger(8).map { max($0, 0) }
    }
}
