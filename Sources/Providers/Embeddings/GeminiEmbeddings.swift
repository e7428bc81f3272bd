import JSON
import Messages
import Transport

/// `POST /models/{model}:batchEmbedContents` of Google's Gemini API.
enum GeminiEmbeddings: EmbeddingAPI {
    /// The API's names of the options that there are.
    private static let names = [
        "dimensions": "outputDimensionality", "task_type": "taskType", "title": "title",
    ]

    static func call(
        _ request: EmbeddingRequest, _ texts: ArraySlice<String>, to kind: ProviderSettings.Kind
    ) throws(RequestEnd) -> APICall {
        let options = try Self.options(request.options)
        let resource = Gemini.resource(request.model)
        let requests = texts.map { text in
            let part = JSONValue.object([.init("text", .string(text))])
            return JSONValue.object(
                [
                    .init("model", .string(resource)),
                    .init("content", .object([.init("parts", .array([part]))])),
                ] + options)
        }
        return APICall(
            path: "/\(resource):batchEmbedContents",
            headers: request.key.map { [HTTPHeader("x-goog-api-key", $0)] } ?? [],
            body: [.init("requests", .array(requests))])
    }

    private static func options(_ options: [JSONValue.Member]) throws(RequestEnd) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        for option in options where !option.value.isNull {
            guard let name = Self.names[option.name] else {
                throw .failed(
                    .invalidOptions,
                    "option '\(option.name.truncated(toUTF8Length: 64))' is not known. Valid options: "
                        + Self.names.keys.sorted().joined(separator: ", "))
            }
            let isNumber = option.name == "dimensions"
            guard isNumber ? (option.value.integer ?? 0) > 0 : option.value.string != nil else {
                throw .failed(
                    .invalidOptions, "option '\(option.name)' must be \(isNumber ? "an integer from 1" : "a string")")
            }
            let value = option.name == "task_type" ? JSONValue.string(option.value.string!.uppercased()) : option.value
            members.append(.init(name, value))
        }
        return members
    }

    static func read(_ answer: JSONObject, count: Int) throws(RequestEnd) -> EmbeddingBatch {
        let elements = try EmbeddingBatch.elements(answer["embeddings"], "embeddings", count: count)
        var vectors: [[UInt8]] = []
        for (number, element) in elements.enumerated() {
            vectors.append(try EmbeddingBatch.vector(element.object?["values"], "values", number: number))
        }
        return EmbeddingBatch(
            vectors: vectors, usage: answer["usageMetadata"].flatMap { Usage(gemini: $0.value) },
            resolvedModel: answer["modelVersion"]?.string)
    }
}
