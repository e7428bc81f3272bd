import JSON
import Messages

/// Whether a model can do what a prompt asks of it, by what is known of the model.
///
/// What is not known is not refused. Where there is nothing to check nothing is read.
enum ModelFit {
    /// - Parameters:
    ///   - title: What the model's provider is called: `Echo`, `OpenAI`.
    ///   - isContinued: Whether the prompt continues a conversation on record.
    static func check(
        _ prompt: PromptRequest, of model: ModelDescription, title: @autoclosure () -> String, isContinued: Bool
    ) throws(Failure) {
        let facts = model.facts
        if facts.can(.prompts) == false {
            let hint = facts.can(.embeddings) == true ? ": it makes embeddings (op embed)" : ""
            throw Failure(.notSupported, "\(title()): \(model.id) does not answer prompts\(hint)")
        }
        if !prompt.needs.isEmpty || isContinued {
            try Self.check(prompt.needs, facts, name: "\(title()): \(model.id)", isContinued: isContinued)
        }
        if let bytes = prompt.options { try Self.check(options: bytes, of: model) }
    }

    /// Whether the model makes embeddings, and these options are its own.
    static func checkEmbedding(options: [UInt8]?, of model: ModelDescription, title: @autoclosure () -> String)
        throws(Failure)
    {
        guard model.facts.can(.embeddings) != false else {
            throw Failure(.notSupported, "\(title()): \(model.id) does not make embeddings")
        }
        if let options { try Self.check(options: options, of: model) }
    }

    /// In llm's words.
    private static func check(
        _ needs: PromptNeeds, _ facts: ModelFacts, name: @autoclosure () -> String, isContinued: Bool
    ) throws(Failure) {
        if needs.schema, facts.can(.schema) == false {
            throw Failure(.notSupported, "\(name()) does not support schemas")
        }
        if needs.conversation || isContinued, facts.can(.conversations) == false {
            throw Failure(.notSupported, "\(name()) does not support conversations")
        }
        if needs.tools, facts.can(.tools) == false {
            throw Failure(.notSupported, "\(name()) does not support tools")
        }
        guard let known = facts.attachments, !needs.mediaTypes.isEmpty else { return }
        guard !known.isEmpty else { throw Failure(.notSupported, "\(name()) does not support attachments") }
        for case let type? in needs.mediaTypes where !known.contains(Self.essence(of: type)) {
            throw Failure(
                .notSupported,
                "\(name()) does not support attachments of type '\(type.truncated(toUTF8Length: 128))', only "
                    + known.sorted().joined(separator: ", "))
        }
    }

    /// `Text/Plain; charset=utf-8` is `text/plain`.
    private static func essence(of type: String) -> String {
        String(type.lowercased().prefix { $0 != ";" && $0 != " " })
    }

    /// Each option must be one of the model's and fit it; all that is wrong is said at once.
    static func check(options bytes: [UInt8], of model: ModelDescription) throws(Failure) {
        guard let known = model.facts.options, model.facts.checksOptions != false,
            let given = try? JSONValue(parsing: bytes).members, !given.isEmpty
        else { return }
        var problems: [String] = []
        var isAnyUnknown = false
        for member in given {
            guard let option = known.first(where: { $0.name == member.name }) else {
                isAnyUnknown = true
                let nearest = member.name.nearest(of: known.map(\.name)).map { " (did you mean '\($0)'?)" } ?? ""
                problems.append(
                    "the model '\(model.id)' has no option '\(member.name.truncated(toUTF8Length: 64))'\(nearest)")
                continue
            }
            if let refusal = option.refusal(of: member.value) { problems.append("option '\(option.name)' \(refusal)") }
        }
        guard !problems.isEmpty else { return }
        let names = known.map(\.name).sorted().joined(separator: ", ")
        let valid = known.isEmpty ? ". It has no options" : isAnyUnknown ? ". Valid options: \(names)" : ""
        throw Failure(.invalidOptions, problems.prefix(4).joined(separator: "; ") + valid)
    }
}
