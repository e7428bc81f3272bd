import Configuration
import Messages
import Testing

/// The file of the state directory that says which models providers have listed.
@Suite("What providers have listed") struct ListedModelsTests {
    private static let yaml =
        "providers: {openai: {}, local: {type: ollama, models: [{id: a, aliases: [b]}]}}\nstate_directory: /srv/b\n"

    private static func configuration(_ file: String, _ more: String = "") throws -> ServiceConfiguration {
        let reader = ConfigurationReader(
            Surroundings(
                environment: ["HOME": "/h", "XDG_RUNTIME_DIR": "/r", "OPENAI_API_KEY": "k"], isRoot: false,
                listedModels: { ConfigurationFile(name: "\($0)/models.json", text: file) }))
        let reply = reader.read(ConfigurationFile(name: "b.yaml", text: Self.yaml + more))
        guard case .configuration(let configuration) = reply else { throw Reading.Refused(problems: ["\(reply)"]) }
        return configuration
    }

    private static func file(_ providers: ListedModels.Provider...) -> String {
        String(decoding: ListedModels(providers: providers).encoded, as: UTF8.self)
    }

    private static func openAI(_ ids: String...) -> ListedModels.Provider {
        .init(
            name: "openai", kind: .openAI, baseURL: "https://api.openai.com/v1",
            models: ids.map { ModelDescription(id: $0) })
    }

    @Test func isAddedToWhatIsConfigured() throws {
        var limits = ModelFacts()
        limits.context = 7
        let local = ListedModels.Provider(
            name: "local", kind: .ollama, baseURL: "http://127.0.0.1:11434/v1",
            models: ["a", "b", "c"].map { ModelDescription(id: $0, facts: limits) })
        let text = Self.file(Self.openAI("gpt-4o", "gpt-9", "c"), local)
        let providers = try Self.configuration(text).providers
        #expect(providers[0].listedModels == ["gpt-9", "c"].map { ModelDescription(id: $0, needsKey: true) })
        #expect(providers[1].listedModels == [], "its names belong to others")
        #expect(providers[1].models.map(\.id) == ["a"])
    }

    /// What a provider lists may be gone tomorrow, and another may list `openai/gpt-9`: a configuration means what it says today.
    @Test func decidesNothingThatTheConfigurationNames() throws {
        let text = Self.file(
            Self.openAI("gpt-9"),
            .init(
                name: "local", kind: .ollama, baseURL: "http://127.0.0.1:11434/v1",
                models: [ModelDescription(id: "openai/gpt-9"), ModelDescription(id: "local/x")]))
        #expect(throws: Reading.Refused.self) { try Self.configuration(text, "default_model: gpt-9") }
        #expect(throws: Reading.Refused.self) { try Self.configuration(text, "fallbacks: {a: [gpt-9]}") }
        let configuration = try Self.configuration(text, "default_model: openai/gpt-9")
        #expect(configuration.defaultModel == "openai/gpt-9")
        #expect(configuration.providers[1].listedModels.map(\.id) == ["local/x"])
    }

    /// A model that is left out of the configuration may be in the catalogue.
    @Test func isDescribedByTheCatalogueWhereThatKnowsIt() throws {
        let text = Self.file(
            .init(
                name: "local", kind: .ollama, baseURL: "http://127.0.0.1:11434/v1",
                models: [ModelDescription(id: "echo")]))
        #expect(try Self.configuration(text).providers[1].listedModels == [ModelDescription(id: "echo")])
        let reading = "providers: {openai: {models: [gpt-4o]}}"
        let reader = ConfigurationReader(
            Surroundings(
                environment: ["HOME": "/h", "XDG_RUNTIME_DIR": "/r"], isRoot: false,
                listedModels: { _ in ConfigurationFile(name: "m", text: Self.file(Self.openAI("gpt-5"))) }))
        guard case .configuration(let configuration) = reader.read(ConfigurationFile(name: "b.yaml", text: reading))
        else {
            Issue.record("refused")
            return
        }
        #expect(configuration.providers[0].listedModels[0].facts.can(.reasoning) == true)
    }

    @Test func ofAnotherAddressOrTypeIsNotThisProviders() throws {
        var other = Self.openAI("gpt-9")
        other.baseURL = "https://elsewhere.example"
        #expect(try Self.configuration(Self.file(other)).providers[0].listedModels == [])
        other = Self.openAI("gpt-9")
        other.kind = .openAICompatible
        #expect(try Self.configuration(Self.file(other)).providers[0].listedModels == [])
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"providers":[1]}"#, #"{"providers":[{"name":"openai"}]}"#])
    func isAWarningWhereItIsBroken(text: String) throws {
        let configuration = try Self.configuration(text)
        #expect(configuration.warnings.count == 1)
        #expect(configuration.warnings[0].contains("/srv/b/models.json cannot be read"))
        #expect(configuration.providers[0].listedModels == [])
    }

    @Test func ofALaterVersionIsPassedOver() throws {
        let text = #"{"providers":[{"name":"x","type":"telepathy","base_url":"","models":[]}],"later":1}"#
        #expect(try Self.configuration(text).warnings == [])
    }
}
