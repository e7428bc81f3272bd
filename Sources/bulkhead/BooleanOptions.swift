import BulkheadClient

/// llm takes `1` and `yes` for true where an option is a boolean; the daemon takes `true` alone, for `1` may be a number.
enum BooleanOptions {
    private static let words = [
        "1": true, "yes": true, "y": true, "on": true, "t": true, "true": true,
        "0": false, "no": false, "n": false, "off": false, "f": false, "false": false,
    ]

    /// Makes those of the request's options booleans that the model wants as such. Who names no such word costs no question.
    static func settle(_ request: inout PromptRequest, with client: BulkheadClient) async throws(ClientError) {
        guard let bytes = request.options, let members = try? JSONValue(parsing: bytes).members,
            members.contains(where: { Self.boolean($0.value) != nil })
        else { return }
        let name = request.model
        guard name != nil || request.conversation == nil,
            let model = try await client.models(for: request.mandate.purpose).first(where: { model in
                name.map { [model.id, "\(model.provider)/\(model.id)"].contains($0) || model.aliases.contains($0) }
                    ?? model.isDefault
            }), model.facts.checksOptions != false
        else { return }
        let booleans = (model.facts.options ?? []).filter { $0.kinds.contains(.boolean) }
        let settled = members.map { member -> JSONValue.Member in
            guard let option = booleans.first(where: { $0.name == member.name }),
                option.refusal(of: member.value) != nil
            else { return member }
            return .init(member.name, Self.boolean(member.value).map(JSONValue.bool) ?? member.value)
        }
        request.options = JSONValue.object(settled).serialized()
    }

    private static func boolean(_ value: JSONValue) -> Bool? {
        switch value {
        case .number(let text): Self.words[text]
        case .string(let text): Self.words[text.lowercased()]
        case .null, .bool, .array, .object: nil
        }
    }
}
