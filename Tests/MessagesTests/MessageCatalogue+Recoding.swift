import JSON
import Messages
import Testing

// What one side only reads is written again as the other side writes it.
extension ClientEvent {
    func encodedAgain() throws -> [UInt8] {
        switch self.event {
        case .start(let start):
            return ClientAnswer.start(
                id: self.id!, request: ULID(start.request)!, model: start.model, provider: start.provider,
                conversation: start.conversation, attempt: self.attempts,
                round: start.chain.map { .init(chain: ULID($0)!, number: start.round!) })
        case .text, .reasoning, .toolCall, .toolResult, .metadata:
            return ClientAnswer.event(id: self.id!, try self.slotEvent().encoded)
        case .round(let completion, let pending):
            return ClientAnswer.round(
                id: self.id!, pending: pending, of: completion.request == nil ? nil : try self.encodedAgain(completion))
        case .done(let completion):
            if let models = completion.models {
                return ClientAnswer.models(
                    id: self.id!, try #require(models.array).map { $0.serialized() },
                    refreshed: completion.refreshed?.array?.map { $0.serialized() })
            }
            if let purposes = completion.purposes?.array {
                return ClientAnswer.list(
                    id: self.id!, "purposes", try purposes.map { try PurposeDescription(decoding: $0).encoded })
            }
            if let whoami = completion.whoami {
                return ClientAnswer.done(id: self.id!, ("whoami", try CallerDescription(decoding: whoami).encoded))
            }
            if let explanation = completion.explanation {
                return ClientAnswer.done(id: self.id!, ("explanation", try Explanation(decoding: explanation).encoded))
            }
            if let secrets = completion.secrets { return ClientAnswer.secrets(id: self.id!, secrets) }
            if let status = completion.status {
                return ClientAnswer.done(id: self.id!, ("status", status.serialized()))
            }
            if let group = completion.group {
                return ClientAnswer.group(id: self.id!, ULID(group)!, requests: completion.groupRequests)
            }
            if let rows = completion.rows {
                let isLog = rows[0] == nil || rows[0]?["response"] != nil
                return ClientAnswer.page(
                    id: self.id!, isLog ? "logs" : "requests", rows: rows.serialized(), next: completion.next)
            }
            if let reload = completion.reload { return ClientAnswer.reloaded(id: self.id!, reload) }
            guard completion.request != nil else { return ClientAnswer.done(id: self.id!) }
            guard completion.embeddings == nil else {
                return ClientAnswer.done(
                    id: self.id!, request: ULID(completion.request!)!, model: completion.model!,
                    provider: completion.provider!, durationMilliseconds: completion.durationMilliseconds!,
                    attempts: self.attempts, try completion.embeddingEvent.encoded)
            }
            return try self.encodedAgain(completion)
        case .error(let failure, let request, let usage):
            return ClientAnswer.error(
                id: self.id, failure, request: request.flatMap(ULID.init), usage: usage, attempts: self.attempts,
                problems: self.problems)
        case .unknown(let name):
            throw MessageError.invalidValue("event", name)
        }
    }

    private func encodedAgain(_ completion: Completion) throws -> [UInt8] {
        ClientAnswer.done(
            id: self.id!, request: ULID(completion.request!)!, model: completion.model!, provider: completion.provider!,
            conversation: completion.conversation, durationMilliseconds: completion.durationMilliseconds!,
            attempts: self.attempts,
            round: completion.chain.map { .init(chain: ULID($0)!, number: completion.round!) },
            try self.slotEvent().encoded)
    }

    /// The slot's event that this one was made from.
    func slotEvent() throws -> SlotEvent {
        switch self.event {
        case .text(let text): return .text(text)
        case .reasoning(let text): return .reasoning(text)
        case .toolCall(let call): return .toolCall(call)
        case .toolResult(let result): return .toolResult(result)
        case .metadata(let metadata): return .metadata(metadata)
        case .done(let completion), .round(let completion, _):
            return .done(
                SlotCompletion(
                    usage: completion.usage, finishReason: completion.finishReason,
                    providerRequestID: completion.providerRequestID,
                    answer: completion.text.map {
                        .init(
                            text: $0, reasoning: completion.reasoning ?? "", toolCalls: completion.toolCalls,
                            events: completion.events)
                    }, resolvedModel: completion.resolvedModel))
        case .start, .error, .unknown: throw MessageError.invalidValue("event", "not a slot's")
        }
    }
}

extension ClientEvent.Completion {
    var embeddingEvent: EmbeddingEvent {
        get throws {
            let vectors = try #require(self.embeddings).map { String(decoding: $0, as: UTF8.self) }
            return .done(
                EmbeddingCompletion(
                    embeddings: Array("[\(vectors.joined(separator: ","))]".utf8), usage: self.usage,
                    providerRequestID: self.providerRequestID, resolvedModel: self.resolvedModel))
        }
    }
}

extension SlotRequest {
    private static func array(_ values: [JSONValue]) -> [UInt8] { JSONValue.array(values).serialized() }

    func encodedAgain() -> [UInt8] {
        switch self {
        case .cancel(let request): return Self.encodeCancel(request)
        case .listModels(let listing): return listing.encoded
        case .embed(let embedding):
            let options = embedding.options.isEmpty ? nil : JSONValue.object(embedding.options)
            return Self.encodeEmbed(
                EmbedRequest(embedding.input, options: options), request: embedding.request, model: embedding.model,
                key: embedding.key)
        case .prompt(let model):
            var prompt = PromptRequest()
            prompt.prompt = model.prompt.isEmpty ? nil : JSONValue.string(model.prompt).serialized()
            prompt.system = model.system.map { JSONValue.string($0).serialized() }
            prompt.options = model.options.isEmpty ? nil : JSONValue.object(model.options).serialized()
            prompt.stream = model.stream
            prompt.attachments = model.attachments.isEmpty ? nil : Self.array(model.attachments.map(\.value))
            prompt.schema = model.schema?.serialized()
            prompt.tools = model.tools.isEmpty ? nil : Self.array(model.tools.map(\.value))
            prompt.toolResults = model.toolResults.isEmpty ? nil : Self.array(model.toolResults.map(\.value))
            let messages = model.messages.isEmpty ? nil : JSONValue.array(model.messages.map(\.value)).serialized()
            return Self.encodePrompt(
                prompt, request: model.request, model: model.model, messages: messages, key: model.key)
        }
    }
}

// Whose rows are asked for, the reader is told by a uid.
extension LogsRequest {
    var asked: LogsRequest {
        var request = self
        request.own = false
        return request
    }
}

extension RequestsRequest {
    var asked: RequestsRequest {
        var request = self
        request.own = false
        return request
    }
}
