public import Messages

/// The answer to a request for embeddings: a vector for each text, in their order.
public struct Embeddings: Sendable, Equatable {
    public let vectors: [EmbeddingVector]
    /// The id of the model that made them.
    public let model: String
    public let provider: String
    /// The name under which the request is on record.
    public let request: String
    /// What it used, where the provider said so.
    public let usage: Usage?
    public let durationMilliseconds: Int

    public init(_ completion: ClientEvent.Completion) throws(ClientError) {
        guard let vectors = completion.embeddings, let request = completion.request, let model = completion.model,
            let provider = completion.provider
        else { throw .protocolViolation("an answer to 'embed' without embeddings") }
        self.vectors = vectors.map(EmbeddingVector.init)
        self.model = model
        self.provider = provider
        self.request = request
        self.usage = completion.usage
        self.durationMilliseconds = completion.durationMilliseconds ?? 0
    }
}

/// One vector, as its provider wrote it.
public struct EmbeddingVector: Sendable, Equatable {
    /// The vector as a JSON array: every number with the digits that the provider wrote.
    public let json: [UInt8]

    /// The numbers in single precision, as most models have them.
    public var floats: [Float] { self.numbers { Float($0) } }

    /// The numbers in double precision.
    public var doubles: [Double] { self.numbers { Double($0) } }

    /// The numbers in single precision, little-endian, four bytes each: how llm keeps embeddings.
    public var blob: [UInt8] {
        self.floats.flatMap { number in withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) } }
    }

    /// ``blob`` in Base64.
    public var base64: String { Base64.encode(self.blob) }

    /// ``blob`` in hexadecimal, lowercase.
    public var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: self.blob.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private func numbers<Number>(_ make: (Substring) -> Number?) -> [Number] {
        String(decoding: self.json.dropFirst().dropLast(), as: UTF8.self).split(separator: ",").compactMap(make)
    }
}

extension BulkheadClient {
    /// How many texts one request for embeddings may have.
    public static let embedInputs = ProtocolBounds.embedInputs

    /// Asks for the vectors of some texts.
    ///
    ///     let embeddings = try await client.embed(EmbedRequest(["hello", "world"], model: "text-embedding-3-small"))
    ///     let similarity = zip(embeddings.vectors[0].floats, embeddings.vectors[1].floats).reduce(0) { $0 + $1.0 * $1.1 }
    public func embed(_ request: EmbedRequest) async throws(ClientError) -> Embeddings {
        try Embeddings(try await self.completion(of: .embed(request)))
    }

    /// Asks for the vectors of some texts, and returns the answer as it will come: one event, `done`.
    public func answer(to request: EmbedRequest) -> Answer {
        Answer(request: SentRequest(client: self, operation: .embed(request)))
    }
}
