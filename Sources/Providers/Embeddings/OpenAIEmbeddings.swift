import JSON
import Messages
import Transport

/// `POST /embeddings`: OpenAI's API, which many others speak.
enum OpenAIEmbeddings: EmbeddingAPI {
    /// What the request says itself, so that no option may. Vectors are asked for as numbers, the API's own default: their
    /// other form, Base64 of the machine's floats, is not what the protocol promises.
    private static let ownNames = ["model", "input", "encoding_format"]

    static func call(
        _ request: EmbeddingRequest, _ texts: ArraySlice<String>, to kind: ProviderSettings.Kind
    ) throws(RequestEnd) -> APICall {
        let quirks = ProviderPreset.of(kind)?.quirks ?? ProviderPreset.Quirks()
        let key = request.key.map { [HTTPHeader("authorization", "Bearer \($0)")] } ?? []
        let members: [JSONValue.Member] = [
            .init("model", .string(request.model)), .init("input", .array(texts.map(JSONValue.string))),
        ]
        return APICall(
            path: "/embeddings", headers: key + quirks.headers.map { HTTPHeader($0.name, $0.value) },
            body: try request.options.added(to: members, except: Self.ownNames))
    }

    static func read(_ answer: JSONObject, count: Int) throws(RequestEnd) -> EmbeddingBatch {
        let elements = try EmbeddingBatch.elements(answer["data"], "data", count: count)
        var vectors = [[UInt8]?](repeating: nil, count: count)
        for (number, element) in elements.enumerated() {
            guard let object = element.object else {
                throw .invalidResponse("element \(number) of its 'data' is no object")
            }
            // The order is that of `index`; an element without one is where it belongs.
            let index = object.optional("index").map { $0.integer.flatMap(Int.init(exactly:)) ?? -1 } ?? number
            guard vectors.indices.contains(index), vectors[index] == nil else {
                throw .invalidResponse("the 'index' of element \(number) of its 'data' is of no text, or of one twice")
            }
            vectors[index] = try EmbeddingBatch.vector(object["embedding"], "embedding", number: number)
        }
        return EmbeddingBatch(
            vectors: vectors.compactMap(\.self), usage: answer["usage"].flatMap { Usage(chat: $0.value) },
            resolvedModel: answer["model"]?.string)
    }
}
