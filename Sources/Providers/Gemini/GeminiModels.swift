import JSON
import Messages
import Transport

// `GET /models`: up to a thousand models at a time, with their limits and what may be asked of each.
extension Gemini {
    static func modelsCall(after cursor: String?, key: String?, to kind: ProviderSettings.Kind) -> APICall {
        let after = cursor.map { "&pageToken=\($0.escapedForQuery)" } ?? ""
        return APICall(
            path: "/models?pageSize=1000\(after)", headers: key.map { [HTTPHeader("x-goog-api-key", $0)] } ?? [],
            body: [])
    }

    static func modelPage(_ value: JSONValue) -> ModelPage? {
        guard value.members != nil else { return nil }
        let next = value["nextPageToken"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        return ModelPage(models: (value["models"]?.array ?? []).compactMap(Self.model), next: next)
    }

    private static func model(_ value: JSONValue) -> ModelDescription? {
        guard let name = value["name"]?.string else { return nil }
        var facts = ModelFacts()
        facts.setContext(value["inputTokenLimit"])
        facts.setMaximumOutput(value["outputTokenLimit"])
        if let methods = value["supportedGenerationMethods"]?.array?.compactMap(\.string) {
            facts.set(.prompts, methods.contains("generateContent"))
            facts.set(.embeddings, methods.contains { ["embedContent", "batchEmbedContents"].contains($0) })
        }
        facts.set(.reasoning, value["thinking"]?.bool)
        return ModelDescription(id: name.hasPrefix("models/") ? String(name.dropFirst(7)) : name, facts: facts)
    }
}
