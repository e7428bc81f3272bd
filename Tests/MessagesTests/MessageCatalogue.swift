import JSON
import Messages
import Testing

/// Every message of proto/, with the Swift that reads and writes it.
struct CataloguedMessage: Sendable, CustomTestStringConvertible {
    var name: String
    /// Reads a payload and writes it again.
    var recode: @Sendable ([UInt8]) throws -> [UInt8]
    /// A value with every optional member, written by Swift.
    var fullest: [UInt8]

    var testDescription: String { self.name }

    static let request = ULID("01k9x3g6ncw7jv0q8r6m2t5y4b")!
    static let usage = Usage(input: 12, output: 7, details: Array(#"{"cached":3}"#.utf8))
    static let failure = Failure(
        .providerRateLimited, "slow down", retryAfterMilliseconds: 2000, providerRequestID: "req_1")
    static let toolCall = ToolCall(
        id: "call_7", name: "look_up", arguments: Array(#"{"ship":"Endurance"}"#.utf8), isServerExecuted: true)
    static let toolResult = ToolResult(
        name: "look_up", output: "o", toolCallID: "call_7", isServerExecuted: true, exception: "e",
        attachments: [Attachment(mediaType: "image/png", .url("u"))])
    static let metadata = PartMetadata(.reasoning, .object([.init("p", .object([]))]), isRedacted: true)
    static let model = ModelDescription(id: "gpt-4o-mini", aliases: ["4o-mini"], needsKey: true, facts: facts)
    /// What a worker is told of it.
    static let workersModel = try! ModelDescription(
        decoding: .object(JSONValue(parsing: model.encoded).members!.filter { !$0.name.hasSuffix("options") }))
    private static let facts = {
        var facts = ModelFacts()
        for ability in ModelFacts.Ability.allCases { facts.abilities[ability] = true }
        (facts.attachments, facts.context, facts.maximumOutput) = (["image/png"], 128_000, 16_384)
        facts.options = [ModelOption("temperature", [.number], minimum: 0, maximum: 2, values: ["v"])]
        facts.checksOptions = false
        return facts
    }()
    static let completion = SlotCompletion(
        usage: usage, finishReason: "stop", providerRequestID: "req_1",
        answer: .init(
            text: "Endurance", reasoning: "A famous one.", toolCalls: [toolCall], events: [.text("Endurance")]),
        resolvedModel: "m-1")
    static let provider = ProviderSettings(
        name: "openai", kind: .openAICompatible, models: [model],
        listedModels: [model], baseURL: "https://api.openai.com/v1", key: "k",
        keyName: "OPENAI_API_KEY", keySource: "store", keyProblem: "k")

    static let all = client + worker + logger + reader + hooks + config

    // MARK: Clients

    private static let client: [CataloguedMessage] = [
        .request("PromptRequest", .prompt(everyPrompt)),
        .request("ChainRequest", .chain(chain)),
        .request("ToolResultRequest", .toolResult(ToolResultRequest(target: .text("r1"), results: [toolResult]))),
        .request("EmbedRequest", .embed(embed)),
        .request("CancelRequest", .cancel(target: .number(1))),
        .request(
            "GroupBeginRequest", .groupBegin(GroupBeginRequest(Mandate(purpose: "p", actor: "a"), model: "m"))),
        .request("GroupEndRequest", .groupEnd(GroupEndRequest(group: request))),
        .request("LogsRequest", .logs(logs)),
        .request("RequestsRequest", .requests(requests)),
        .request(
            "ModelsRequest",
            .models(ModelsRequest(refresh: true, provider: "p", purpose: "p", identity: identity, all: true))),
        .request("PurposesRequest", .purposes),
        .request("WhoamiRequest", .whoami),
        .request(
            "ExplainRequest",
            .explain(
                ExplainRequest(
                    mandate: Mandate(purpose: "p", actor: "a"), model: "m", operation: .embed, identity: identity))),
        CataloguedMessage(
            name: "SecretsRequest", recode: { try ClientRequest(decoding: $0).encoded },
            fullest: united(secretsActions.map { ClientRequest(id: .text("r1"), operation: .secrets($0)).encoded })),
        .request("StatusRequest", .status),
        .request("ReloadRequest", .reload),
        .request("DrainRequest", .drain),
        .request("PingRequest", .ping),
        .answer(
            "StartEvent",
            ClientAnswer.start(
                id: .text("r1"), request: request, model: "m", provider: "p", conversation: "c", attempt: 2,
                round: round)),
        .answer("TextEvent", ClientAnswer.event(id: .number(1), SlotEvent.text("a").encoded)),
        .answer("ReasoningEvent", ClientAnswer.event(id: .number(1), SlotEvent.reasoning("a").encoded)),
        .answer("ToolCallEvent", ClientAnswer.event(id: .number(1), SlotEvent.toolCall(toolCall).encoded)),
        .answer(
            "ToolResultEvent", ClientAnswer.event(id: .number(1), SlotEvent.toolResult(toolResult).encoded)),
        .answer("MetadataEvent", ClientAnswer.event(id: .number(1), SlotEvent.metadata(metadata).encoded)),
        .answer(
            "RoundEvent",
            ClientAnswer.round(
                id: .number(1), pending: ["call_7"],
                of: ClientAnswer.done(
                    id: .number(1), request: request, model: "m", provider: "p", conversation: "c",
                    durationMilliseconds: 5, attempts: 2, round: round, SlotEvent.done(completion).encoded))),
        .answer(
            "DoneEvent",
            ClientAnswer.done(
                id: .number(1), request: request, model: "m", provider: "p", conversation: "c", durationMilliseconds: 5,
                attempts: 2, round: round, SlotEvent.done(completion).encoded)),
        .answer(
            "EmbedDone",
            ClientAnswer.done(
                id: .number(1), request: request, model: "m", provider: "p", durationMilliseconds: 5, attempts: 2,
                EmbeddingEvent.done(embeddings).encoded)),
        .answer("LogsDone", ClientAnswer.page(id: .number(1), "logs", rows: logRows, next: "n")),
        .answer("RequestsDone", ClientAnswer.page(id: .number(1), "requests", rows: requestRows, next: "n")),
        .answer(
            "ModelsDone",
            ClientAnswer.models(
                id: .number(1),
                [
                    model.encoded(with: [
                        .init("provider", .string("p")), .init("default", .bool(true)),
                        .init("available", .bool(false)),
                        .init("reason", .string("r")),
                    ])
                ], refreshed: [refreshed])),
        .answer(
            "PurposesDone",
            ClientAnswer.list(
                id: .number(1), "purposes",
                [PurposeDescription(name: "p", description: "d", model: "m", isAllowed: false).encoded])),
        .answer("WhoamiDone", ClientAnswer.done(id: .number(1), ("whoami", whoami.encoded))),
        .answer("ExplainDone", ClientAnswer.done(id: .number(1), ("explanation", explanation.encoded))),
        .answer("SecretsDone", ClientAnswer.secrets(id: .number(1), secrets)),
        .answer("StatusDone", ClientAnswer.done(id: .number(1), ("status", Array("{}".utf8)))),
        .answer(
            "ReloadDone",
            ClientAnswer.reloaded(
                id: .number(1), ReloadReport(warnings: ["w"], added: ["a"], changed: ["c"], removed: ["r"]))),
        .answer("DrainDone", ClientAnswer.done(id: .number(1))),
        .answer("PingDone", ClientAnswer.done(id: .number(1))),
        .answer("CancelDone", ClientAnswer.done(id: .number(1))),
        .answer("GroupBeginDone", ClientAnswer.group(id: .number(1), request)),
        .answer("GroupEndDone", ClientAnswer.group(id: .number(1), request, requests: 3)),
        .answer("ToolResultDone", ClientAnswer.done(id: .number(1))),
        .answer(
            "ErrorEvent",
            ClientAnswer.error(
                id: .number(1), failure, request: request, usage: usage, attempts: 2, problems: ["p"])),
    ]

    private static var prompt: PromptRequest {
        var prompt = PromptRequest(
            prompt: "hi", system: "be nice", model: "echo", stream: false, options: .object([.init("a", .bool(true))]))
        prompt.attachments = Array(#"[{"type":"t","url":"u"}]"#.utf8)
        prompt.schema = Array("{}".utf8)
        prompt.tools = Array(#"[{"name":"n","description":"d","input_schema":{}}]"#.utf8)
        prompt.toolResults = Array(
            #"[{"name":"n","output":"o","tool_call_id":"t","server_executed":true,"exception":"e","attachments":[]}]"#
                .utf8)
        prompt.timeoutMilliseconds = 1000
        return prompt
    }

    private static var embed: EmbedRequest {
        var embed = EmbedRequest(["a", "b"], model: "m", options: .object([.init("dimensions", .integer(1))]))
        embed.timeoutMilliseconds = 1000
        embed.mandate = mandate
        return embed
    }

    private static let embeddings = EmbeddingCompletion(
        embeddings: Array("[[1.0],[-2e-3]]".utf8), usage: usage, providerRequestID: "req_1", resolvedModel: "m-1")

    /// The fields that exclude each other, so that both are in what is written.
    private static var everyPrompt: PromptRequest {
        var prompt = Self.prompt
        prompt.messages = Array("[]".utf8)
        prompt.conversation = "c"
        prompt.mandate = mandate
        return prompt
    }

    private static let identity = Identity(uid: 1, gid: 2, groups: [3])

    private static let whoami = CallerDescription(
        name: "c", isAllowed: true, peer: PeerCredentials(uid: 1, gid: 2, pid: 3, groups: [4], unit: "u"),
        isAdministrator: true, mayNameActor: true, purposes: ["p"], models: ["m"], maximumConnections: 5,
        maximumRequests: 6)

    private static var explanation: Explanation {
        var explanation = Explanation(purpose: "p", isConfigured: true)
        (explanation.refusal, explanation.passedOver) = (failure, [.init(model: "m", failure: failure)])
        (explanation.caller, explanation.actor) = ("c", "a")
        (explanation.model, explanation.provider, explanation.needsKey) = ("m", "p", true)
        (explanation.keyName, explanation.keySource) = ("K", "store")
        (explanation.options, explanation.fallbacks) = (Array(#"{"o":1}"#.utf8), ["f"])
        (explanation.maximumConnections, explanation.maximumRequests) = (1, 2)
        return explanation
    }

    private static let mandate = Mandate(purpose: "p", actor: "a", group: request)

    private static let filter = MandateFilter(purpose: "p", actor: "a", caller: "c", group: request)

    private static let round = ChainRound(chain: request, number: 2)

    private static var chain: ChainRequest {
        var chain = ChainRequest(everyPrompt)
        (chain.limit, chain.toolTimeoutMilliseconds) = (0, 1000)
        return chain
    }

    private static var logs: LogsRequest {
        var logs = LogsRequest()
        (logs.limit, logs.before, logs.conversation, logs.model, logs.search) = (3, "b", "c", "m", "s")
        logs.mandate = filter
        logs.own = true
        return logs
    }

    private static var requests: RequestsRequest {
        var requests = RequestsRequest()
        (requests.limit, requests.before, requests.model, requests.state) = (3, "b", "m", "lost")
        requests.mandate = filter
        requests.own = true
        return requests
    }

    private static let refreshed =
        Array(#"{"provider":"p","listed":2,"added":1,"error":"#.utf8) + failure.encoded + Array("}".utf8)

    private static let logRows = Array(
        #"""
        [{"id":"i","state":"done","uid":1,"caller":"c","actor":"a","purpose":"p","group":"g","annotations":{},"provider":"p","model":"m","started_at_ms":1,"duration_ms":2,"conversation":"c",
        "conversation_name":"n","system":"s","prompt":"p","attachments":[{"id":"a","type":"t","url":"u"}],"options":{},"schema":{},"response":"r","reasoning":"w",
        "tool_calls":[{"tool_call_id":"t","name":"n","arguments":{},"server_executed":true}],
        "tool_results":[{"name":"n","output":"o","tool_call_id":"t","server_executed":true,"exception":"e","attachments":[]}],
        "usage":{"input":1,"output":2,"details":{}},
        "finish_reason":"stop","error":{"code":"c","message":"m"},"truncated":true,"unreadable":"u"}]
        """#.utf8)
    private static let requestRows = Array(
        #"""
        [{"id":"i","state":"done","started_at_ms":1,"ended_at_ms":3,"duration_ms":2,"uid":1,"gid":2,"pid":3,"groups":[4],"unit":"u",
        "caller":"c","actor":"a","purpose":"p","group":"g","key_name":"k","annotations":{},"provider":"p","model":"m","stream":true,"operation":"embed","usage":{"input":1,"output":2,"details":{}},
        "finish_reason":"stop","provider_request_id":"r","error":{"code":"c","message":"m"},"conversation":"c","turn":"t","chain":"01k9x3g6ncw7jv0q8r6m2t5y4b",
        "attempts":[{"attempt":1,"provider":"p","model":"m","started_at_ms":1,"duration_ms":2,"usage":{"input":1,"output":2,"details":{}},
        "error":{"code":"c","message":"m","retry_after_ms":1},"provider_request_id":"r"}]}]
        """#.utf8)

    private static let secretsActions: [SecretsAction] = [
        .set(name: "n", value: "v", note: "o"), .remove(name: "n"), .rotate, .list,
        .importValues([.init(name: "n", value: "v", note: "o")]),
        .importTokens([.init(name: "n", value: "t", note: "o")], fernetKey: "k"),
    ]
    private static let secrets = SecretsAnswer(
        secrets: [
            DescribedSecret(
                name: "n", note: "o", keyID: "i", createdAtMilliseconds: 1, updatedAtMilliseconds: 2,
                lastUsedAtMilliseconds: 3, problem: "p")
        ], changed: ["n"], skipped: [SkippedSecret(name: "m", reason: "r")], advice: ["a"])

    /// One object with the members of all of them, the first of each name.
    private static func united(_ objects: [[UInt8]]) -> [UInt8] {
        var members: [JSONValue.Member] = []
        for object in objects {
            members += try! JSONValue(parsing: object).members!.filter { new in
                !members.contains { $0.name == new.name }
            }
        }
        return JSONValue.object(members).serialized()
    }

    private static func request(_ name: String, _ operation: ClientRequest.Operation) -> CataloguedMessage {
        CataloguedMessage(
            name: name, recode: { try ClientRequest(decoding: $0).encoded },
            fullest: ClientRequest(id: .text("r1"), operation: operation).encoded)
    }

    private static func answer(_ name: String, _ fullest: [UInt8]) -> CataloguedMessage {
        CataloguedMessage(name: name, recode: { try ClientEvent(decoding: $0).encodedAgain() }, fullest: fullest)
    }

    // MARK: Workers

    private static let worker: [CataloguedMessage] = [
        .init(name: "Configure", recode: control, fullest: WorkerControl.configure(provider).encoded),
        .init(name: "Ping", recode: control, fullest: WorkerControl.ping(number: 1).encoded),
        .init(
            name: "Hello", recode: report,
            fullest: WorkerReport.hello(WorkerHello(provider: "p", slots: 1, models: [workersModel])).encoded),
        .init(name: "Pong", recode: report, fullest: WorkerReport.pong(number: 1).encoded),
        .init(
            name: "SlotPrompt", recode: slotRequest,
            fullest: SlotRequest.encodePrompt(
                prompt, request: request, model: "echo", messages: JSONValue.array([message.value]).serialized(),
                key: "k")),
        .init(
            name: "SlotListModels", recode: slotRequest, fullest: ModelListing(request: request, key: "k").encoded),
        .init(
            name: "SlotEmbed", recode: slotRequest,
            fullest: SlotRequest.encodeEmbed(embed, request: request, model: "m", key: "k")),
        .init(name: "SlotCancel", recode: slotRequest, fullest: SlotRequest.encodeCancel(request)),
        .slot("SlotText", .text("a")),
        .slot("SlotReasoning", .reasoning("a")),
        .slot("SlotToolCall", .toolCall(toolCall)),
        .slot("SlotToolResult", .toolResult(toolResult)),
        .slot("SlotMetadata", .metadata(metadata)),
        .slot("SlotDone", .done(completion)),
        .slot("SlotModels", .models([workersModel])),
        .embedding("SlotEmbedDone", .done(embeddings)),
        .embedding("SlotProgress", .progress),
        .slot("SlotError", .error(failure, usage: usage)),
    ]

    private static let message = ModelMessage(
        .user, [MessagePart(.text("t"))], providerMetadata: .object([.init("p", .object([]))]))

    private static let control: @Sendable ([UInt8]) throws -> [UInt8] = { try WorkerControl(decoding: $0).encoded }
    private static let report: @Sendable ([UInt8]) throws -> [UInt8] = { try WorkerReport(decoding: $0).encoded }
    private static let slotRequest: @Sendable ([UInt8]) throws -> [UInt8] = {
        try SlotRequest(decoding: $0).encodedAgain()
    }

    private static func slot(_ name: String, _ event: SlotEvent) -> CataloguedMessage {
        CataloguedMessage(
            name: name,
            recode: { bytes in
                // The supervisor reads no more than an outline; the client reads the rest.
                let envelope = try SlotEventEnvelope(decoding: bytes)
                if case .error(let failure, let usage) = envelope.kind {
                    return SlotEvent.error(failure, usage: usage).encoded
                }
                if case .models(let models) = envelope.kind { return SlotEvent.models(models).encoded }
                return try ClientEvent(decoding: ClientAnswer.event(id: .number(1), envelope.bytes)).slotEvent().encoded
            },
            fullest: event.encoded)
    }

    private static func embedding(_ name: String, _ event: EmbeddingEvent) -> CataloguedMessage {
        CataloguedMessage(
            name: name,
            recode: { bytes in
                let count = try JSONValue(parsing: bytes)["embeddings"]?.array?.count
                let envelope = try SlotEventEnvelope(decoding: bytes, embeddingsOf: count ?? 0)
                guard case .done = envelope.kind else { return EmbeddingEvent.progress.encoded }
                let answer = ClientAnswer.done(
                    id: .number(1), request: request, model: "m", provider: "p", durationMilliseconds: 5, bytes)
                guard case .done(let completion) = try ClientEvent(decoding: answer).event else { return [] }
                return try completion.embeddingEvent.encoded
            },
            fullest: event.encoded)
    }

    // MARK: Logger and configuration

    private static let logger: [CataloguedMessage] = [
        .init(
            name: "Begin", recode: command, fullest: LoggerCommand.begin(session: request, atMilliseconds: 1).encoded),
        .init(
            name: "Open", recode: command,
            fullest: LogRecord.open(
                OpenRecord(
                    request: request, atMilliseconds: 1,
                    peer: PeerCredentials(uid: 1, gid: 2, pid: 3, groups: [4], unit: "u"), provider: "p",
                    model: "m",
                    stream: true, chain: request, operation: .embed, mandate: mandate, caller: "c",
                    keyName: "K", annotations: Array("{}".utf8), content: content)
            ).encoded(sequence: 1)),
        .init(
            name: "Output", recode: command,
            fullest: LogRecord.output(OutputRecord(request: request, output: output)).encoded(sequence: 2)),
        .init(
            name: "Attempt", recode: command,
            fullest: LogRecord.attempt(
                AttemptRecord(
                    request: request, number: 1, provider: "p", model: "m", atMilliseconds: 1, durationMilliseconds: 2,
                    usage: usage, providerRequestID: "req_1", failure: failure)
            ).encoded(sequence: 3)),
        .init(
            name: "End", recode: command,
            fullest: LogRecord.end(
                EndRecord(
                    request: request, atMilliseconds: 1, state: .error, durationMilliseconds: 2, usage: usage,
                    finishReason: "stop",
                    providerRequestID: "req_1", failure: failure, output: output, resolvedModel: "m-1")
            ).encoded(sequence: 3)),
        .init(
            name: "Ready", recode: reply,
            fullest: LoggerReply.ready(protocolVersion: 1, version: "v", acknowledged: 0).encoded),
        .init(name: "Acknowledged", recode: reply, fullest: LoggerReply.acknowledged(sequence: 1).encoded),
    ]

    private static var content: PromptContent {
        var content = PromptContent(everyPrompt, conversation: "c", parent: "b2:0")
        content.follows = request
        return content
    }

    private static let output = Array(#"[{"event":"text","text":"a"}]"#.utf8)

    // MARK: The reader

    private static let reader: [CataloguedMessage] = [
        .init(
            name: "HistoryQuery", recode: query,
            fullest: ReaderQuery(number: 1, uid: 2, .history(conversation: "c")).encoded),
        .init(name: "LogsQuery", recode: query, fullest: ReaderQuery(number: 1, uid: 2, .logs(logs.asked)).encoded),
        .init(
            name: "RequestsQuery", recode: query,
            fullest: ReaderQuery(number: 1, uid: 2, .requests(requests.asked)).encoded),
        .init(
            name: "ReaderReady", recode: readerReply,
            fullest: ReaderReply.ready(protocolVersion: 1, version: "v").encoded),
        .init(
            name: "History", recode: readerReply,
            fullest: ReaderReply.history(
                query: 1,
                .init(
                    tip: "b2:0", model: "m", system: "s", messages: JSONValue.array([message.value]).serialized())
            ).encoded),
        .init(
            name: "Page", recode: readerReply,
            fullest: ReaderReply.page(query: 1, rows: Array("[{}]".utf8), next: "n").encoded),
        .init(
            name: "QueryError", recode: readerReply, fullest: ReaderReply.error(query: 1, failure).encoded),
    ]

    private static let query: @Sendable ([UInt8]) throws -> [UInt8] = { try ReaderQuery(decoding: $0).encoded }
    private static let readerReply: @Sendable ([UInt8]) throws -> [UInt8] = { try ReaderReply(decoding: $0).encoded }

    private static let command: @Sendable ([UInt8]) throws -> [UInt8] = { try LoggerCommand(decoding: $0).encoded }
    private static let reply: @Sendable ([UInt8]) throws -> [UInt8] = { try LoggerReply(decoding: $0).encoded }

    private static let reference = ModelReference("m", key: "K", options: Array(#"{"o":1}"#.utf8))

    private static let policy = PolicySettings(
        models: ["m"], blockedModels: ["n"], requiresKeys: false,
        purposes: [
            PurposeSettings(
                name: "p", description: "d", model: reference, models: [reference], blockedModels: ["n"],
                fallbacks: ["f"], finishes: true)
        ],
        callers: [
            CallerSettings(
                name: "c", users: [1], groups: [2], isDefault: true, purposes: ["p"], models: ["m"], mayNameActor: true,
                isAdministrator: true, maximumConnections: 3, maximumRequests: 4)
        ],
        keys: [NamedKey(name: "K", value: "v", source: "store", problem: "p")])

    private static let config: [CataloguedMessage] = [
        .init(
            name: "Configuration", recode: { try ConfigurationReply(decoding: $0).encoded },
            fullest: ConfigurationReply.configuration(
                ServiceConfiguration(
                    socketPath: "/s", socketGroup: 5, stateDirectory: "/d", defaultModel: reference,
                    defaultEmbeddingModel: "e",
                    providers: [provider],
                    fallbacks: ["m": ["n"]], policy: policy,
                    hooks: [
                        HookSettings(
                            name: "h", command: ["/h"], events: HookEvent.allCases, timeoutMilliseconds: 1,
                            isClosed: true)
                    ], masterKeyFile: "/k", keyUse: KeyUse(["K": 1]), warnings: ["w"])
            ).encoded),
        .init(
            name: "Refused", recode: { try ConfigurationReply(decoding: $0).encoded },
            fullest: ConfigurationReply.refused([ConfigurationProblem(file: "f", line: 1, column: 1, message: "m")])
                .encoded),
        .init(
            name: "SecretsAction", recode: { try SecretsAction(decoding: $0).encoded },
            fullest: united(secretsActions.map(\.encoded))),
        .init(
            name: "SecretsAnswer", recode: { try SecretsReply(decoding: $0).encoded },
            fullest: SecretsReply.done(secrets).encoded),
        .init(
            name: "SecretsRefused", recode: { try SecretsReply(decoding: $0).encoded },
            fullest: SecretsReply.error(Failure(.secretsUnavailable, "m")).encoded),
    ]
}
