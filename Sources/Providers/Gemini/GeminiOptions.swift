import JSON
import Messages

/// The options of a Gemini model, by llm-gemini's names.
struct GeminiOptions {
    private var generation: [JSONValue.Member] = []
    private var thinking: [JSONValue.Member] = []
    private var isJSON = false
    /// Google's own tools that the model may use.
    private(set) var serverTools: [JSONValue] = []

    /// - Throws: `invalid_options` for a name that is not known or a value that does not fit.
    init(_ options: [JSONValue.Member]) throws(RequestEnd) {
        var problems: [String] = []
        for option in options where !option.value.isNull {
            guard let rule = Self.rules[option.name] else {
                problems.append("option '\(option.name.truncated(toUTF8Length: 64))' is not known")
                continue
            }
            if rule.form.accepts(option.value) {
                self.set(rule.place, option.value)
            } else {
                problems.append("option '\(option.name)' must be \(rule.form)")
            }
        }
        guard problems.isEmpty else {
            throw .failed(
                .invalidOptions,
                problems.prefix(4).joined(separator: "; ") + ". Valid options: "
                    + Self.rules.keys.sorted().joined(separator: ", "))
        }
    }

    /// The member `generationConfig`, with the form that the answer must have.
    func generationConfig(schema: JSONValue?) -> [JSONValue.Member] {
        var members = self.generation
        if self.isJSON || schema != nil {
            members.append(.init("responseMimeType", .string("application/json")))
        }
        if let schema { members.append(.init("responseJsonSchema", schema)) }
        if !self.thinking.isEmpty { members.append(.init("thinkingConfig", .object(self.thinkingConfig))) }
        return members
    }

    /// Whoever says how much is thought wants to see it, unless they say otherwise.
    private var thinkingConfig: [JSONValue.Member] {
        let isShown = !self.thinking.contains { $0.name == "includeThoughts" || $0.value == .number("0") }
        return self.thinking + (isShown ? [.init("includeThoughts", .bool(true))] : [])
    }

    private mutating func set(_ place: Rule.Place, _ value: JSONValue) {
        switch place {
        case .generation(let name): self.generation.append(.init(name, value))
        case .mediaResolution:
            let name = "MEDIA_RESOLUTION_" + (value.string ?? "").uppercased()
            self.generation.append(.init("mediaResolution", .string(name)))
        case .json: self.isJSON = value == .bool(true)
        case .thinking(let name): self.thinking.append(.init(name, value))
        case .serverTool(let name):
            if value == .bool(true) { self.serverTools.append(.object([.init(name, .object([]))])) }
        }
    }

    private static let rules: [String: Rule] = [
        "temperature": Rule(.generation("temperature"), .number(0...2)),
        "max_output_tokens": Rule(.generation("maxOutputTokens"), .integer(1...Int(Int32.max))),
        "top_p": Rule(.generation("topP"), .number(0...1)),
        "top_k": Rule(.generation("topK"), .integer(1...Int(Int32.max))),
        "seed": Rule(.generation("seed"), .integer(Int(Int32.min)...Int(Int32.max))),
        "presence_penalty": Rule(.generation("presencePenalty"), .number(-2...2)),
        "frequency_penalty": Rule(.generation("frequencyPenalty"), .number(-2...2)),
        "stop_sequences": Rule(.generation("stopSequences"), .texts),
        "media_resolution": Rule(.mediaResolution, .choice(["low", "medium", "high", "unspecified"])),
        "json_object": Rule(.json, .flag),
        "thinking_budget": Rule(.thinking("thinkingBudget"), .integer(-1...Int(Int32.max))),
        "thinking_level": Rule(.thinking("thinkingLevel"), .choice(["minimal", "low", "medium", "high"])),
        "include_thoughts": Rule(.thinking("includeThoughts"), .flag),
        "google_search": Rule(.serverTool("googleSearch"), .flag),
        "url_context": Rule(.serverTool("urlContext"), .flag),
        "code_execution": Rule(.serverTool("codeExecution"), .flag),
    ]

    /// What an option may be, and where it goes.
    private struct Rule {
        enum Place {
            /// A member of `generationConfig`.
            case generation(String)
            case mediaResolution
            case json
            /// A member of `thinkingConfig`.
            case thinking(String)
            /// A member of `tools`.
            case serverTool(String)
        }

        var place: Place
        var form: Form

        init(_ place: Place, _ form: Form) {
            self.place = place
            self.form = form
        }
    }

    private enum Form: CustomStringConvertible {
        case number(ClosedRange<Int>)
        case integer(ClosedRange<Int>)
        case flag
        case choice([String])
        case texts

        func accepts(_ value: JSONValue) -> Bool {
            switch self {
            case .number(let range):
                guard case .number(let text) = value, let number = Double(text) else { return false }
                return (Double(range.lowerBound)...Double(range.upperBound)).contains(number)
            case .integer(let range): return value.integer.map(range.contains) ?? false
            case .flag: return value.bool != nil
            case .choice(let names): return value.string.map(names.contains) ?? false
            case .texts: return value.array?.allSatisfy { $0.string != nil } ?? false
            }
        }

        var description: String {
            switch self {
            case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
            case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
            case .flag: "true or false"
            case .choice(let names): "one of \(names.joined(separator: ", "))"
            case .texts: "a list of texts"
            }
        }
    }
}
