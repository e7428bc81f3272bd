import Configuration
import Messages
import Testing

@Suite("A configuration that is accepted") struct AcceptedConfigurationTests {
    @Test func everyFieldArrivesWhereItBelongs() throws {
        let text = """
            socket: {path: /run/b.sock, mode: "0600", group: bulkhead}
            state_directory: /srv/bulkhead
            log: {durability: relaxed, prompts: false}
            default_model: small
            default_embedding_model: echo-embed
            fallbacks: {tiny: [echo, qwen3], qwen3: [small]}
            drain_timeout: 2m
            testing: true
            providers:
              local:
                type: openai-compatible
                key: LOCAL_KEY
                base_url: http://127.0.0.1:11434/v1/
                models: [qwen3, {id: llama4, aliases: [small, tiny]}]
                slots: 8
                retries: 5
                timeouts: {connect: 250ms, first_output: 2m, idle: 30s, total: 1h, cancel: 1s}
              echo: {type: echo, slots: 2}
              broken: {type: echo-fault, slots: 1}
            """
        let configuration = try Reading.with(["LOCAL_KEY": "k1"]).configuration(text)
        let local = ProviderSettings(
            name: "local", kind: .openAICompatible, slots: 8,
            models: [
                ModelDescription(id: "qwen3", needsKey: true),
                ModelDescription(id: "llama4", aliases: ["small", "tiny"], needsKey: true),
            ],
            baseURL: "http://127.0.0.1:11434/v1", connectTimeoutMilliseconds: 250,
            timeouts: .init(firstOutput: 120_000, idle: 30_000, total: 3_600_000, cancel: 1000), retries: 5,
            key: "k1", keyName: "LOCAL_KEY", keySource: "environment")
        let echo = ProviderSettings(
            name: "echo", kind: .echo, slots: 2,
            models: ModelCatalogue.shipped.models(of: .echo),
            keyName: "LLM_ECHO_NEEDS_KEY_KEY")
        let broken = ProviderSettings(
            name: "broken", kind: .echoFault, slots: 1, models: [ModelDescription(id: "echo-fault")])
        let expected = ServiceConfiguration(
            socketPath: "/run/b.sock", socketMode: 0o600, socketGroup: 998, stateDirectory: "/srv/bulkhead",
            durability: .relaxed, storesPrompts: false,
            defaultModel: "small", defaultEmbeddingModel: "echo-embed", providers: [local, echo, broken],
            fallbacks: ["llama4": ["echo", "qwen3"], "qwen3": ["llama4"]], drainTimeoutMilliseconds: 120_000,
            warnings: [])
        #expect(configuration == expected)
    }

    @Test func itSurvivesTheJourneyToTheSupervisor() throws {
        let configuration = try Reading.with(["OPENAI_API_KEY": "k"]).configuration(
            "socket: {mode: \"0600\", group: 5}\nfallbacks: {gpt-4o: [gpt-4.1, echo], echo: [gpt-4o]}")
        let reply = ConfigurationReply.configuration(configuration)
        #expect(try ConfigurationReply(decoding: reply.encoded) == reply)
    }

    @Test func anEmptyFileIsTheSameAsNoFile() throws {
        let reading = Reading.with(["OPENAI_API_KEY": "k"])
        let expected = try reading.configuration(nil)
        for text in [
            "", "\n", "# only a comment\n", "---\n", "{}", "\u{FEFF}", "\u{FEFF}{}", "socket:\nproviders: ~\nlog:\n",
        ] {
            #expect(try reading.configuration(text) == expected, "\(text.debugDescription)")
        }
    }

    @Test func aProviderWithoutFieldsTakesItsTypeFromItsName() throws {
        let configuration = try Reading().configuration("providers:\n  echo:\n")
        #expect(configuration.providers.map(\.kind) == [.echo])
        #expect(configuration.providers[0].slots == 16)
        #expect(configuration.defaultModel == "echo")
    }

    @Test func anAnchorMayBeUsedForAWholeValue() throws {
        let text = """
            providers:
              a: {type: openai-compatible, base_url: "https://a.example", models: [x], timeouts: &slow {total: 2h}}
              b: {type: openai-compatible, base_url: "https://b.example", models: [y], timeouts: *slow}
            """
        let configuration = try Reading().configuration(text)
        #expect(configuration.providers.map(\.timeouts.total) == [7_200_000, 7_200_000])
    }

    @Test(arguments: [
        ("250ms", 250), ("5s", 5000), ("10m", 600_000), ("24h", 86_400_000), ("1d", 86_400_000), ("\"7s\"", 7000),
        ("0s", 0),
    ])
    func durationsHaveUnits(text: String, milliseconds: Int) throws {
        #expect(try Reading().configuration("drain_timeout: \(text)").drainTimeoutMilliseconds == milliseconds)
    }

    @Test(arguments: [
        ("\"0660\"", 0o660), ("'600'", 0o600), ("\"0777\"", 0o777), ("\"0000\"", 0), ("!!str 0640", 0o640),
    ])
    func modesAreOctalDigitsInQuotes(text: String, mode: Int) throws {
        #expect(try Reading().configuration("socket: {mode: \(text)}").socketMode == mode)
    }

    @Test(arguments: [("bulkhead", 998), ("12", 12), ("\"12\"", 12), ("0", 0)])
    func groupsHaveNamesOrNumbers(text: String, group: Int) throws {
        #expect(try Reading().configuration("socket: {group: \(text)}").socketGroup == group)
    }

    @Test(arguments: [
        ("https://api.example.com/v1///", "https://api.example.com/v1"),
        ("HTTPS://api.example.com", "https://api.example.com"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"), ("http://localhost:1", "http://localhost:1"),
    ])
    func baseAddressesLoseTheirLastSlash(text: String, address: String) throws {
        let yaml = "providers: {x: {type: openai-compatible, base_url: '\(text)', models: [m]}}"
        #expect(try Reading().configuration(yaml).providers[0].baseURL == address)
    }
}
