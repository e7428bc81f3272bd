import JSON
import Messages
import Transport

// Embeddings over HTTP: batch after batch, one exchange each.
extension HTTPProvider {
    mutating func embed(
        _ request: EmbeddingRequest, into output: EmbeddingOutput
    ) throws(RequestEnd) -> EmbeddingCompletion {
        guard let api = API.embeddings, let bounds = self.kind.embeddings else {
            throw .failed(.modelError, "a provider of type '\(self.kind.rawValue)' has no embeddings")
        }
        var batches = EmbeddingBatches(request, bounds)
        var completion = EmbeddingCompletion()
        do throws(RequestEnd) {
            while let texts = batches.next() {
                let (batch, length) = try self.exchange(request, texts, with: api, &completion)
                batches.answered(bytes: length)
                if let usage = batch.usage { completion.usage = completion.usage?.adding(usage) ?? usage }
                if batch.resolvedModel != request.model { completion.resolvedModel = batch.resolvedModel }
                try output.append(batch.vectors)
                if !batches.isEmpty { try output.progress() }
            }
        } catch {
            // What the batches before have used is used.
            guard case .failed(let failure, _) = error else { throw error }
            throw .failed(failure, usage: completion.usage)
        }
        return completion
    }

    /// Asks for the vectors of one batch.
    ///
    /// - Returns: The vectors, and how many bytes the answer had.
    private func exchange(
        _ request: EmbeddingRequest, _ texts: ArraySlice<String>, with api: any EmbeddingAPI.Type,
        _ completion: inout EmbeddingCompletion
    ) throws(RequestEnd) -> (EmbeddingBatch, length: Int) {
        let http = try self.httpRequest(try api.call(request, texts, to: self.kind), key: request.key)
        let head = try self.transported { transport throws(TransportError) in try transport.start(http) }
        defer { self.environment.transport.finish() }
        let requestID = self.requestID(head)
        completion.providerRequestID = requestID
        do throws(RequestEnd) {
            guard (200..<300).contains(head.status) else {
                throw .failed(ProviderFailure.refused(head, body: try self.errorBody(), key: request.key))
            }
            guard let body = try self.body() else {
                throw .failed(
                    .answerTooLarge,
                    "the provider's answer to a batch of \(texts.count) texts is longer than \(HTTPBounds.body) bytes; "
                        + "ask for fewer texts at once or for fewer dimensions")
            }
            return (try api.read(try ProviderJSON.embeddings(body, key: request.key), count: texts.count), body.count)
        } catch {
            guard case .failed(var failure, let usage) = error else { throw error }
            failure.providerRequestID = requestID
            throw .failed(failure, usage: usage)
        }
    }
}

extension ProviderJSON {
    /// The object that holds embeddings, of which nothing is built before it is asked for.
    fileprivate static func embeddings(_ body: [UInt8], key: String?) throws(RequestEnd) -> JSONObject {
        let bounds = JSONBounds(depth: 16, nodes: HTTPBounds.body / 2, refusesLoneSurrogates: false)
        let object: JSONObject
        do throws(JSONError) { object = try JSONObject(body, bounds: bounds) } catch {
            throw Self.unreadable(error, body, key: key)
        }
        if let error = object["error"], !error.isNull {
            let value = JSONValue.object([.init("error", error.value)])
            throw .failed(ProviderFailure.inAnswer(value, key: key))
        }
        return object
    }
}
