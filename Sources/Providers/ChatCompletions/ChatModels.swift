import JSON
import Messages
import Transport

/// `GET /models`: the list that OpenAI and all who speak chat completions have. It is not divided.
enum ChatModels {
    static func call(key: String?, headers: [ProviderPreset.Header] = []) -> APICall {
        let authorization = key.map { [HTTPHeader("authorization", "Bearer \($0)")] } ?? []
        return APICall(
            path: "/models", headers: authorization + headers.map { HTTPHeader($0.name, $0.value) }, body: [])
    }

    static func page(_ value: JSONValue) -> ModelPage? {
        guard let elements = value["data"]?.array ?? value.array else { return nil }
        return ModelPage(models: elements.compactMap(Self.model))
    }

    /// OpenAI says nothing but the id; some others have names of their own for what they say besides.
    private static func model(_ value: JSONValue) -> ModelDescription? {
        guard let id = value["id"]?.string else { return nil }
        var facts = ModelFacts()
        for name in ["context_length", "context_window", "max_context_length", "max_model_len"] {
            facts.setContext(value[name])
        }
        facts.setMaximumOutput(value["top_provider"]?["max_completion_tokens"] ?? value["max_completion_tokens"])
        let capabilities = value["capabilities"]
        facts.set(.prompts, capabilities?["completion_chat"]?.bool)
        facts.set(.tools, capabilities?["function_calling"]?.bool)
        return ModelDescription(id: id, facts: facts)
    }
}
