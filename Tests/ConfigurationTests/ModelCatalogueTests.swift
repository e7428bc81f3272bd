import Configuration
import Messages
import Testing

@Suite("The catalogue of models") struct ModelCatalogueTests {
    private static func model(_ id: String, _ kind: ProviderSettings.Kind) throws -> ModelDescription {
        try #require(ModelCatalogue.shipped.models(of: kind).first { $0.id == id })
    }

    @Test func knowsWhatModelsCanDo() throws {
        let mini = try Self.model("gpt-4o-mini", .openAI)
        #expect(mini.aliases == ["4o-mini"])
        #expect(mini.facts.can(.schema) == true && mini.facts.can(.tools) == true)
        #expect(mini.facts.can(.reasoning) == false && mini.facts.can(.embeddings) == false)
        #expect(mini.facts.context == 128_000 && mini.facts.maximumOutput == 16_384)
        #expect(mini.facts.attachments?.contains("image/png") == true)
        #expect(try Self.model("o1", .openAI).facts.can(.streaming) == false)
        let embedding = try Self.model("text-embedding-3-small", .openAI)
        #expect(embedding.facts.can(.prompts) == false && embedding.facts.can(.embeddings) == true)
        #expect(try Self.model("claude-haiku-4-5", .anthropic).facts.maximumOutput == 64_000)
        #expect(try Self.model("claude-opus-4-8", .anthropic).facts.can(.laterSystem) == true)
        #expect(try Self.model("echo", .echo).facts.checksOptions == false)
    }

    /// Sets of options are put together, each option with its type and range.
    @Test func knowsOptions() throws {
        let options = try #require(try Self.model("gpt-5", .openAI).facts.options)
        #expect(
            options.first { $0.name == "temperature" } == ModelOption("temperature", [.number], minimum: 0, maximum: 2))
        #expect(options.first { $0.name == "tool_choice" }?.kinds == [.string, .object])
        #expect(options.first { $0.name == "verbosity" }?.values == ["low", "medium", "high"])
        #expect(try Self.model("gpt-4o", .openAI).facts.options?.contains { $0.name == "verbosity" } == false)
    }

    @Test(arguments: ProviderSettings.Kind.allCases)
    func hasNoNameTwiceAndNoEmptyFact(kind: ProviderSettings.Kind) {
        let models = ModelCatalogue.shipped.models(of: kind)
        let names = models.flatMap { [$0.id] + $0.aliases }
        #expect(Set(names).count == names.count)
        for model in models {
            #expect(ModelListing.isUsable(model.id))
            let options = model.facts.options ?? []
            #expect(Set(options.map(\.name)).count == options.count, "\(model.id)")
            for option in options {
                #expect(option.kinds.contains(.enum) == !option.values.isEmpty, "\(model.id): \(option.name)")
            }
            for type in model.facts.attachments ?? [] {
                #expect(type == type.lowercased() && type.split(separator: "/").count == 2, "\(model.id): \(type)")
            }
        }
    }

    @Test(arguments: [
        ("{", "ends too early"), (#"{"providers":{"nobody":[]}}"#, "no provider of type 'nobody'"),
        (#"{"providers":{"groq":[{"id":"a","profile":"p"}]}}"#, "'a' has an unknown profile 'p'"),
        (#"{"providers":{"groq":[{"id":"a","options":["o"]}]}}"#, "'a' has unknown options 'o'"),
        (#"{"providers":{"groq":[{"id":"a","tools":1}]}}"#, "'a': "),
        (
            #"{"options":{"o":{"x":{"type":"text"}}},"providers":{"groq":[{"id":"a","options":["o"]}]}}"#,
            "'x' has no type"
        ),
        (#"{"providers":{"groq":[{}]}}"#, "without an id"),
    ])
    func saysWhatIsWrongWithIt(text: String, message: String) {
        #expect { try ModelCatalogue(Array(text.utf8)) } throws: { "\($0)".contains(message) }
    }
}
