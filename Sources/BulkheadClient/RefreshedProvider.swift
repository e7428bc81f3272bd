public import JSON
public import Messages

/// What became of a provider that was asked for its models.
public struct RefreshedProvider: Equatable, Sendable {
    public enum Outcome: Equatable, Sendable {
        /// It has so many models, of which so many were not known before.
        case listed(count: Int, added: Int)
        case failed(Failure)
    }

    /// The provider's name.
    public var name: String
    public var outcome: Outcome
    /// The whole description, as it came.
    public var json: JSONValue

    static func list(decoding value: JSONValue) throws(ClientError) -> [RefreshedProvider] {
        guard let elements = value.array else { throw .protocolViolation("'refreshed' is not an array") }
        var providers: [RefreshedProvider] = []
        for element in elements {
            let members = AnswerMembers(element, of: "refreshed")
            let outcome: Outcome
            if let error = element["error"] {
                let code = error["code"]?.string.flatMap(ErrorCode.init) ?? .providerError
                outcome = .failed(Failure(code, error["message"]?.string ?? "no message"))
            } else {
                outcome = .listed(count: try members.integer("listed"), added: try members.integer("added"))
            }
            providers.append(
                RefreshedProvider(name: try members.text("provider"), outcome: outcome, json: element))
        }
        return providers
    }
}
