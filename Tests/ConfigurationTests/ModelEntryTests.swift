import Configuration
import Messages
import Testing

/// An entry of a provider's `models`.
@Suite("A model of the file") struct ModelEntryTests {
    private static func models(_ list: String, type: String = "openai") throws -> [ModelDescription] {
        let yaml = "providers: {p: {type: \(type), base_url: 'https://p.example', models: \(list)}}"
        return try Reading().configuration(yaml).providers[0].models
    }

    private static func known(_ id: String) throws -> ModelDescription {
        try #require(ModelCatalogue.shipped.models(of: .openAI).first { $0.id == id })
    }

    @Test func keepsWhatIsKnownOfItsId() throws {
        let models = try Self.models("[gpt-4o, new, {id: o1, streaming: true}]")
        #expect(models.map(\.id) == ["gpt-4o", "new", "o1"])
        #expect(models[0] == (try Self.known("gpt-4o")))
        #expect(models[1] == ModelDescription(id: "new"))
        var facts = try Self.known("o1").facts
        facts.abilities[.streaming] = true
        #expect(models[2].facts == facts)
    }

    @Test func changesOnlyWhatItNames() throws {
        let entry = """
            [{id: gpt-4o, aliases: [main], needs_key: true, schema: false, attachments: [Image/PNG], context: 5,
              options: {temperature: {type: number, maximum: 1}, mood: {values: [sad, glad]}, seed: string}}]
            """
        let model = try Self.models(entry)[0]
        let known = try Self.known("gpt-4o")
        #expect(model.aliases == ["main"] && model.needsKey)
        #expect(model.facts.can(.schema) == false && model.facts.can(.tools) == true)
        #expect(model.facts.attachments == ["image/png"])
        #expect(model.facts.context == 5 && model.facts.maximumOutput == known.facts.maximumOutput)
        let options = try #require(model.facts.options)
        #expect(options.count == known.facts.options!.count + 1)
        #expect(options.first { $0.name == "temperature" } == ModelOption("temperature", [.number], maximum: 1))
        #expect(options.first { $0.name == "seed" }?.kinds == [.string])
        #expect(options.last == ModelOption("mood", [.enum], values: ["sad", "glad"]))
    }

    @Test func aStarStandsForTheOthersThatAreBuiltIn() throws {
        let models = try Self.models("[mine, '*', {id: gpt-4o, tools: false}]")
        #expect(models.prefix(2).map(\.id) == ["mine", "gpt-4o"])
        #expect(Set(models.map(\.id)) == Set(ModelCatalogue.shipped.models(of: .openAI).map(\.id) + ["mine"]))
        #expect(models[1].facts.can(.tools) == false)
    }

    /// Chat completions under OpenAI's name have OpenAI's models, but other options.
    @Test func ofChatCompletionsHasNoOptionsOfTheResponsesAPI() throws {
        let provider = try Reading.with(["OPENAI_API_KEY": "k"]).configuration(
            "providers: {openai: {type: openai-compatible}}"
        ).providers[0]
        #expect(provider.models.allSatisfy { $0.facts.options == nil && $0.facts.attachments == nil })
        #expect(provider.models.contains { $0.facts.can(.schema) == true })
    }

    @Test func aProviderOverHTTPNeedsNone() throws {
        let configuration = try Reading().configuration("providers: {ollama: {}}")
        #expect(configuration.providers[0].models == [])
        #expect(configuration.warnings.count == 1 && configuration.warnings[0].contains("ollama/MODEL"))
        #expect(configuration.defaultModel == nil)
        let other = "providers: {ollama: {}, echo: {}}\ndefault_model: ollama/qwen3:8b\nfallbacks: {echo: [ollama/x/y]}"
        let reading = try Reading().configuration(other)
        #expect(reading.defaultModel == "ollama/qwen3:8b")
        #expect(reading.fallbacks == ["echo": ["ollama/x/y"]])
    }

    /// A fallback that names a model of the list in the long way is that model.
    @Test func hasOneNameInFallbacks() throws {
        let yaml = "providers: {p: {type: ollama, models: [a, {id: b, aliases: [c]}]}}\nfallbacks: {p/c: [p/a, p/z]}"
        #expect(try Reading().configuration(yaml).fallbacks == ["b": ["a", "p/z"]])
    }

    /// An alias of YAML says much in little.
    @Test func isNotDescribedAtMoreLengthThanAWorkerCanBeTold() {
        let types = (0..<100).map { "image/\(String(repeating: "x", count: 100))\($0)" }.joined(separator: ", ")
        let models = (1..<100).map { "{id: m\($0), attachments: *types}" }.joined(separator: ", ")
        let list = "{id: m0, attachments: &types [\(types)]}, " + models
        #expect(
            Reading().problems("providers: {x: {type: vllm, models: [\(list)]}}") == [
                "b.yaml:1:13: provider 'x' says more of its models than a worker can be told; say less of them"
            ])
    }

    /// `¦` stands before what is wrong.
    @Test(arguments: [
        ("[{id: a, tools: ¦yes}]", "tools': expected true or false, found a string"),
        ("[{id: a, context: ¦0}]", "context': must be from 1 to 2147483647"),
        ("[{id: a, attachments: ¦image/png}]", "attachments': expected a list of media types, found a string"),
        ("[{id: a, attachments: [¦png]}]", "attachments[0]': 'png' is no media type: write one such as image/png"),
        ("[{id: a, options: ¦[b]}]", "options': expected a mapping such as {temperature: number}, found a list"),
        (
            "[{id: a, options: {b: ¦text}}]",
            "'text' is not one of string, integer, number, boolean, array, object, enum"
        ),
        ("[{id: a, options: {b: ¦{minimum: 1}}}]", "an option needs a 'type'"),
        ("[{id: a, options: {b: ¦enum}}]", "an option of type enum needs its 'values'"),
        ("[{id: a, options: {b: ¦{type: number, minimum: 2, maximum: 1}}}]", "the minimum is greater than the maximum"),
        ("[{id: ¦'*', tools: true}]", "'*' stands for many models and cannot be described; write it alone"),
        ("¦['*']", "'*' stands for the built-in models, and this type has none"),
        ("[¦a/../b]", "no spaces, quotes, backslashes, control characters or '..' between slashes"),
    ])
    func isRefusedWithFileAndLine(models: String, message: String) throws {
        let marked = "providers: {x: {models: \(models), type: vllm}}"
        let place = try #require(marked.firstIndex(of: "¦"))
        let lines = Reading().problems(marked.replacing("¦", with: ""))
        #expect(lines.count == 1, "\(lines)")
        let column = marked.distance(from: marked.startIndex, to: place) + 1
        #expect(lines.first?.hasPrefix("b.yaml:1:\(column): ") == true, "\(lines)")
        #expect(lines.first?.contains(message) == true, "\(lines)")
    }
}
