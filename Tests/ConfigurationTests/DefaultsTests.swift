import Configuration
import Messages
import Testing

@Suite("The defaults") struct DefaultsTests {
    private static func known(_ kind: ProviderSettings.Kind) -> [ModelDescription] {
        ModelCatalogue.shipped.models(of: kind).map { model in
            var model = model
            model.needsKey = true
            return model
        }
    }

    @Test func withoutAKeyThereIsEcho() throws {
        for environment in [[:], ["OPENAI_API_KEY": ""]] {
            let configuration = try Reading.with(environment).configuration(nil)
            #expect(configuration.providers.map(\.name) == ["echo"])
            #expect(configuration.defaultModel == "echo")
            #expect(configuration.warnings == [])
            #expect(configuration.socketMode == 0o660)
            #expect(configuration.socketGroup == nil)
            #expect(configuration.durability == .commit)
            #expect(configuration.storesPrompts)
            #expect(configuration.drainTimeoutMilliseconds == 30_000)
        }
    }

    @Test func withOpenAIsKeyThereIsOpenAIToo() throws {
        let configuration = try Reading.with(["OPENAI_API_KEY": "k", "LLM_ECHO_NEEDS_KEY_KEY": "e"]).configuration(nil)
        let openAI = ProviderSettings(
            name: "openai", kind: .openAI,
            models: Self.known(.openAI),
            baseURL: "https://api.openai.com/v1", key: "k", keyName: "OPENAI_API_KEY", keySource: "environment")
        #expect(configuration.providers.map(\.name) == ["echo", "openai"])
        #expect(configuration.providers[0].key == "e")
        #expect(configuration.providers[1] == openAI)
        #expect(configuration.defaultModel == "gpt-4o-mini")
    }

    @Test func aFileWithoutProvidersHasTheSameOnes() throws {
        let reading = Reading.with(["OPENAI_API_KEY": "k"])
        let configuration = try reading.configuration("default_model: echo")
        #expect(configuration.providers == (try reading.configuration(nil)).providers)
        #expect(configuration.defaultModel == "echo")
    }

    @Test(arguments: [
        ("{openai: {type: openai-compatible}}", ProviderSettings.Kind.openAICompatible), ("{openai: {}}", .openAI),
        ("{o: {type: openai}}", .openAI),
    ])
    func openAIsAddressModelsAndKeyAreKnown(providers: String, kind: ProviderSettings.Kind) throws {
        let yaml = "providers: \(providers)"
        let provider = try Reading.with(["OPENAI_API_KEY": "k"]).configuration(yaml).providers[0]
        #expect(provider.kind == kind)
        #expect(provider.models.map(\.id) == Self.known(.openAI).map(\.id))
        #expect(provider.baseURL == "https://api.openai.com/v1")
        #expect(provider.key == "k")
    }

    @Test(arguments: ["{anthropic: {}}", "{claude: {type: anthropic}}"])
    func aProviderOfTypeAnthropicKnowsItsAddressModelsAndKey(yaml: String) throws {
        let provider = try Reading.with(["ANTHROPIC_API_KEY": "k"]).configuration("providers: \(yaml)").providers[0]
        #expect(provider.kind == .anthropic)
        #expect(provider.models == Self.known(.anthropic))
        #expect(provider.models.contains { $0.id == "claude-opus-5" && $0.needsKey })
        #expect(provider.models.contains { $0.id == "claude-opus-4-8" && $0.aliases == ["claude-opus-4.8"] })
        #expect(provider.baseURL == "https://api.anthropic.com")
        #expect(provider.key == "k" && provider.keyName == "ANTHROPIC_API_KEY")
    }

    @Test func anthropicsKeyIsNotSentToAnotherAddressUnasked() throws {
        let yaml = "providers: {anthropic: {base_url: 'https://proxy.example', models: [m]}}"
        let provider = try Reading.with(["ANTHROPIC_API_KEY": "k"]).configuration(yaml).providers[0]
        #expect(provider.key == nil && provider.keyName == nil)
        #expect(provider.models == [ModelDescription(id: "m")])
    }

    @Test func withoutItsKeyAnthropicIsAWarning() throws {
        let configuration = try Reading.with([:]).configuration("providers: {anthropic: {}}")
        #expect(configuration.warnings.contains { $0.contains("ANTHROPIC_API_KEY") })
        #expect(configuration.providers[0].models.allSatisfy { $0.needsKey })
    }

    @Test func openAIsKeyIsNotSentToAnotherAddressUnasked() throws {
        let yaml = "providers: {openai: {type: openai-compatible, base_url: 'https://proxy.example/v1'}}"
        let provider = try Reading.with(["OPENAI_API_KEY": "k"]).configuration(yaml).providers[0]
        #expect(provider.key == nil && provider.keyName == nil)
        #expect(provider.models.allSatisfy { !$0.needsKey })
    }

    @Test func aProviderOfTypeGeminiKnowsItsAddressModelsAndKey() throws {
        for yaml in ["providers: {gemini: {}}", "providers: {google: {type: gemini}}"] {
            let configuration = try Reading.with(["GEMINI_API_KEY": "k"]).configuration(yaml)
            let provider = configuration.providers[0]
            #expect(provider.kind == .gemini)
            #expect(provider.baseURL == "https://generativelanguage.googleapis.com/v1beta")
            #expect(provider.key == "k" && provider.keyName == "GEMINI_API_KEY")
            #expect(provider.models.contains { $0.id == "gemini-flash-latest" && $0.needsKey })
            #expect(configuration.defaultModel?.model == provider.models[0].id)
        }
        let unset = try Reading().configuration("providers: {gemini: {models: [{id: x, aliases: [y]}]}}")
        #expect(unset.warnings.count == 1 && unset.warnings[0].contains("there is no key GEMINI_API_KEY:"))
        #expect(unset.providers[0].models == [ModelDescription(id: "x", aliases: ["y"], needsKey: true)])
    }

    @Test func googlesKeyIsNotSentToAnotherAddressUnasked() throws {
        let yaml = "providers: {gemini: {base_url: 'http://proxy.example/v1beta'}}"
        let provider = try Reading.with(["GEMINI_API_KEY": "k"]).configuration(yaml).providers[0]
        #expect(provider.key == nil && provider.keyName == nil)
        #expect(provider.models.allSatisfy { !$0.needsKey })
        let named = "providers: {gemini: {base_url: 'http://proxy.example', key: K}}"
        #expect(try Reading.with(["K": "k"]).configuration(named).warnings.count == 1, "in the clear")
    }

    @Test func withOneProviderItsFirstModelIsTheDefault() throws {
        let one = "providers: {a: {type: openai-compatible, base_url: 'https://a.example', models: [x, y]}}"
        #expect(try Reading().configuration(one).defaultModel == "x")
        let two = """
            providers:
              a: {type: openai-compatible, base_url: 'https://a.example', models: [x, y]}
              echo: {type: echo}
            """
        #expect(try Reading().configuration(two).defaultModel == nil)
    }

    @Test func theSocketIsInTheRuntimeDirectory() throws {
        var reading = Reading()
        #expect(try reading.configuration(nil).socketPath == "/run/user/1000/bulkhead.sock")
        reading.environment["XDG_RUNTIME_DIR"] = "/tmp/x/"
        #expect(try reading.configuration(nil).socketPath == "/tmp/x/bulkhead.sock")
        reading.isRoot = true
        #expect(try reading.configuration(nil).socketPath == "/run/bulkhead.sock")
    }

    @Test func withoutARuntimeDirectoryOneMustSayWhere() throws {
        var reading = Reading()
        for value in [nil, "", "relative"] {
            reading.environment["XDG_RUNTIME_DIR"] = value
            let message =
                "no place for the socket: XDG_RUNTIME_DIR is not set; name one with --socket PATH or 'socket' in the file"
            #expect(reading.problems(nil) == ["environment: \(message)"])
            #expect(try reading.configuration("socket: /a/b").socketPath == "/a/b")
            reading.overrides.socketPath = "/c"
            #expect(try reading.configuration(nil).socketPath == "/c")
            reading.overrides.socketPath = nil
            reading.purpose = .check
            #expect(try reading.configuration("{}").warnings == ["b.yaml: \(message)"])
            reading.purpose = .service
        }
    }

    @Test func theStateDirectoryHasAnOrderOfPlaces() throws {
        var reading = Reading()
        #expect(try reading.configuration(nil).stateDirectory == "/home/ada/.local/state/bulkhead")
        reading.environment["XDG_STATE_HOME"] = "/home/ada/state"
        #expect(try reading.configuration(nil).stateDirectory == "/home/ada/state/bulkhead")
        reading.environment["STATE_DIRECTORY"] = "/var/lib/one:/var/lib/two"
        #expect(try reading.configuration(nil).stateDirectory == "/var/lib/one")
        #expect(try reading.configuration("state_directory: /srv/b").stateDirectory == "/srv/b")
        reading.overrides.stateDirectory = "/over"
        #expect(try reading.configuration("state_directory: /srv/b").stateDirectory == "/over")

        reading = Reading()
        reading.environment["HOME"] = nil
        #expect(
            reading.problems(nil).first?.hasPrefix("environment: no place for the record: neither STATE_DIRECTORY,")
                == true)
        reading.isRoot = true
        #expect(try reading.configuration(nil).stateDirectory == "/var/lib/bulkhead")
    }

    @Test func pathsOnTheCommandLineMayBeRelative() throws {
        var reading = Reading()
        reading.overrides = ConfigurationOverrides(
            socketPath: "./b.sock", stateDirectory: "state", currentDirectory: "/home/ada")
        let configuration = try reading.configuration("socket: /x\nstate_directory: /y")
        #expect(configuration.socketPath == "/home/ada/b.sock")
        #expect(configuration.stateDirectory == "/home/ada/state")
    }

    @Test func aSocketPathThatNoAddressHoldsIsRefused() throws {
        var reading = Reading()
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(try reading.configuration("socket: \(longest)").socketPath == longest)
        let message = "the path has 108 bytes; at most 107 are possible"
        #expect(reading.problems("socket: \(longest)a") == ["b.yaml:1:9: field 'socket': \(message)"])
        reading.overrides.socketPath = longest + "a"
        #expect(reading.problems(nil) == ["--socket: \(message)"])
        reading.overrides.socketPath = nil
        reading.environment["XDG_RUNTIME_DIR"] = longest
        #expect(
            reading.problems(nil) == [
                "environment: the default for --socket: the path has 121 bytes; at most 107 are possible; use --socket"
            ])
    }
}
