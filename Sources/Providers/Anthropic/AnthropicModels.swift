import JSON
import Messages
import Transport

// `GET /v1/models`: up to a thousand models at a time, what each can do among them.
extension Anthropic {
    static func modelsCall(after cursor: String?, key: String?, to kind: ProviderSettings.Kind) -> APICall {
        let after = cursor.map { "&after_id=\($0.escapedForQuery)" } ?? ""
        return APICall(path: "/v1/models?limit=1000\(after)", headers: Self.headers(key: key), body: [])
    }

    static func modelPage(_ value: JSONValue) -> ModelPage? {
        guard let elements = value["data"]?.array else { return nil }
        let next = value["has_more"]?.bool == true ? value["last_id"]?.string : nil
        return ModelPage(models: elements.compactMap(Self.model), next: next)
    }

    private static func model(_ value: JSONValue) -> ModelDescription? {
        guard let id = value["id"]?.string else { return nil }
        var facts = ModelFacts()
        facts.setContext(value["max_input_tokens"])
        facts.setMaximumOutput(value["max_tokens"])
        let capabilities = value["capabilities"]
        facts.set(.schema, capabilities?["structured_outputs"]?["supported"]?.bool)
        facts.set(.reasoning, capabilities?["thinking"]?["supported"]?.bool)
        return ModelDescription(id: id, facts: facts)
    }
}
