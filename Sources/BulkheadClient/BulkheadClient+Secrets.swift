public import Messages

extension BulkheadClient {
    /// Works on the daemon's store of secrets; for an administrator. No answer holds a value.
    public func secrets(_ action: SecretsAction) async throws(ClientError) -> SecretsAnswer {
        guard let answer = try await self.completion(of: .secrets(action)).secrets else {
            throw .protocolViolation("an answer to 'secrets' without 'changed'")
        }
        return answer
    }
}
