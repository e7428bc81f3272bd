import Configuration
import Messages
import Testing

/// The fields `models`, `blocked_models`, `require_keys`, `purposes`, and `default_model` with a key and options.
@Suite("A purpose") struct PurposeTests {
    private static let providers =
        "providers: {x: {type: openai-compatible, base_url: 'https://x', models: [a, {id: b, aliases: [bee]}, c, d, e, f]}}\n"

    private func policy(_ yaml: String) throws -> PolicySettings {
        try Reading.with(["K": "s3cret"]).configuration(Self.providers + yaml).policy
    }

    @Test func hasModelsWithKeysAndOptions() throws {
        let purpose = try #require(
            try self.policy(
                """
                purposes:
                  sql-assistant:
                    description: Writes SQL
                    model: {model: bee, key: K, options: {temperature: 0}}
                    models: [a, {model: c, options: {stop: [x, "1"], deep: {yes: no, n: 1.50, half: .5, big: 12345678901234567890}}}]
                    blocked_models: [d]
                    fallbacks: [bee, e]
                    on_disconnect: finish
                """
            ).purposes.first)
        let options = #"{"stop":["x","1"],"deep":{"yes":"no","n":1.50,"half":0.5,"big":12345678901234567890}}"#
        #expect(
            purpose
                == PurposeSettings(
                    name: "sql-assistant", description: "Writes SQL",
                    model: ModelReference("bee", key: "K", options: Array(#"{"temperature":0}"#.utf8)),
                    models: ["a", ModelReference("c", options: Array(options.utf8))], blockedModels: ["d"],
                    fallbacks: ["b", "e"], finishes: true))
    }

    @Test func mayHaveNoRules() throws {
        let purposes = try self.policy("purposes: {chat: , extract: {}, a.B-c_9: {models: }}").purposes
        #expect(purposes == ["chat", "extract", "a.B-c_9"].map { PurposeSettings(name: $0) })
    }

    @Test func standsBesideTheListsOfAll() throws {
        let policy = try self.policy("models: [a, bee, x/anything]\nblocked_models: [c]\nrequire_keys: false")
        #expect(
            policy == PolicySettings(models: ["a", "bee", "x/anything"], blockedModels: ["c"], requiresKeys: false))
        #expect(try self.policy("models:\nblocked_models:\npurposes:\ncallers:\nhooks:") == PolicySettings())
    }

    @Test func doesWithoutOptionsThatAreNull() throws {
        let configuration = try Reading().configuration(
            Self.providers + "default_model: {model: a, options: {temperature: , seed: ~}}")
        #expect(configuration.defaultModel == "a")
    }

    @Test func hasTheKeysThatModelsName() throws {
        let yaml = """
            default_model: {model: a, key: NOWHERE}
            purposes: {p: {model: {model: b, key: K}, models: [{model: b, key: K}, {model: c, key: OLD}]}}
            """
        var reading = Reading.with(["K": "s3cret"])
        reading.secrets = ["OLD": .unusable("the master key is another one")]
        let configuration = try reading.configuration(Self.providers + yaml)
        #expect(
            configuration.policy.keys == [
                NamedKey(name: "NOWHERE"), NamedKey(name: "K", value: "s3cret", source: "environment"),
                NamedKey(
                    name: "OLD", source: "store",
                    problem: "the secret OLD of the store cannot be used: the master key is another one"),
            ])
        #expect(
            configuration.warnings == [
                "b.yaml:2:32: field 'default_model.key': there is no key NOWHERE: set it with "
                    + "'bulkhead secrets set NOWHERE', or the environment variable of that name; until then the key of "
                    + "the model's provider is used",
                "b.yaml:3:88: field 'purposes.p.models[1].key': the secret OLD of the store cannot be used: "
                    + "the master key is another one; models that need it cannot be asked",
            ])
    }

    @Test(arguments: [
        ("models: [a, bea]", "1:13: field 'models[1]': no provider serves the model 'bea'; did you mean 'bee'?"),
        ("blocked_models: [z]", "1:18: field 'blocked_models[0]': no provider serves the model 'z'; did you mean 'a'?"),
        (
            "models: []",
            "1:9: field 'models': the list is empty, so that no model is allowed but those of a purpose's own 'models'; "
                + "remove the field to allow all"
        ),
        (
            "purposes: {p: {models: []}}",
            "1:24: field 'purposes.p.models': the list is empty, so that no model is allowed for this purpose; remove the "
                + "field to allow all"
        ),
        (
            "purposes: {p: {model: beee}}",
            "1:23: field 'purposes.p.model': no provider serves the model 'beee'; did you mean 'bee'?"
        ),
        ("models: [a, a]", "1:13: field 'models[1]': the model 'a' stands in this list already"),
        (
            "purposes: {p: {models: [a, {model: a}]}}",
            "1:28: field 'purposes.p.models[1]': the model 'a' stands in this list already"
        ),
    ])
    func isWarnedOf(yaml: String, warning: String) throws {
        #expect(try Reading().configuration(yaml + "\n" + Self.providers).warnings == ["b.yaml:" + warning])
    }

    @Test func isWarnedOfOptionsThatItsModelDoesNotHave() throws {
        let yaml =
            "providers: {openai: {}}\npurposes: {p: {model: {model: 4o-mini, options: {temperatur: 0, top_p: 7}}}}"
        let configuration = try Reading.with(["OPENAI_API_KEY": "k"]).configuration(yaml)
        #expect(
            configuration.warnings == [
                "b.yaml:2:62: field 'purposes.p.model.options.temperatur': the model 'gpt-4o-mini' has no option "
                    + "'temperatur'; did you mean 'temperature'?",
                "b.yaml:2:72: field 'purposes.p.model.options.top_p': this option of the model 'gpt-4o-mini' must be a "
                    + "number from 0 to 1",
            ])
    }

    @Test(arguments: [
        (
            "models: [{model: a, key: K}]",
            "1:10: field 'models[0]': a list of names is expected here: a model with a key or options goes into "
                + "'default_model', or into 'model' or 'models' of one of the 'purposes'"
        ),
        ("models: a", "1:9: field 'models': expected a list of models, found a string"),
        (
            "purposes: {p: {blocked_models: [3]}}",
            "1:33: field 'purposes.p.blocked_models[0]': expected the id or alias of a model, found an integer; "
                + "quote it to make it a string"
        ),
        ("models: ['']", "1:10: field 'models[0]': a model's name has 1 to 256 bytes"),
        ("require_keys: yes", "1:15: field 'require_keys': expected true or false, found a string"),
        (
            "purposes: [chat]",
            "1:11: field 'purposes': expected a mapping of names and purposes, such as {chat: {model: gpt-4o-mini}}, "
                + "found a list"
        ),
        (
            "purposes: {'my chat': {}}",
            "1:12: 'my chat' is no name for a purpose: use 1 to 64 of a-z, A-Z, 0-9, '_', '-' and '.'"
        ),
        ("purposes: {p: {modell: a}}", "1:16: unknown field 'modell'; did you mean 'model'?"),
        ("purposes: {p: {model: {key: K}}}", "1:23: field 'purposes.p.model': a model needs its name in 'model'"),
        (
            "purposes: {p: {model: {model: {$env: X}}}}",
            "1:31: field 'purposes.p.model.model': expected the id or alias of a model, found a mapping"
        ),
        (
            "purposes: {p: {model: {$env: MODEL}}}",
            "1:24: '$env' is Datasette's and not known here: write the value itself",
        ),
        (
            "purposes: {p: {on_disconnect: stop}}",
            "1:31: field 'purposes.p.on_disconnect': 'stop' is not one of cancel, finish"
        ),
        (
            "purposes: {p: {fallbacks: [z]}}",
            "1:28: field 'purposes.p.fallbacks[0]': no provider serves the model 'z'; did you mean 'a'?"
        ),
        (
            "default_model: {model: beee}",
            "1:24: field 'default_model.model': no provider serves the model 'beee'; did you mean 'bee'?"
        ),
        (
            "default_model: {model: a, options: [1]}",
            "1:36: field 'default_model.options': expected a mapping such as {temperature: 0}, found a list"
        ),
        (
            "default_model: {model: a, options: {x: .inf}}",
            "1:40: field 'default_model.options.x': expected a finite number in decimal digits"
        ),
        (
            "default_model: {model: a, options: {x: [{y: 007}]}}",
            "1:45: field 'default_model.options.x[0].y': digits that begin with 0 are read differently by versions of "
                + "YAML; quote them, or write a number"
        ),
        (
            "default_model: {model: a, options: {x: !t 1}}",
            "1:40: field 'default_model.options.x': expected a plain value, found a value with a tag, which is not "
                + "supported"
        ),
        (
            "default_model: {model: a, key: sk-proj-abcdefghijkl}",
            "1:32: field 'default_model.key': expected the name of a key, found what looks like a key itself; take it "
                + "out of this file, and consider it known to others"
        ),
    ])
    func isRefusedWithFileAndLine(yaml: String, problem: String) {
        let problems = Reading().problems(yaml + "\n" + Self.providers)
        #expect(problems.contains("b.yaml:" + problem), "\(problems)")
    }

    @Test func isBounded() {
        func problems(_ yaml: String) -> [String] { Reading().problems(yaml + "\n" + Self.providers) }
        let purposes = (0...256).map { "p\($0): " }.joined(separator: ", ")
        #expect(
            problems("purposes: {\(purposes)}") == [
                "b.yaml:1:11: field 'purposes': has 257 purposes; at most 256 are possible"
            ])
        let models = (0...512).map { "x/m\($0)" }.joined(separator: ", ")
        #expect(
            problems("models: [\(models)]") == [
                "b.yaml:1:9: field 'models': a list of at most 512 models, but it has 513"
            ])
        let keys = (0...256).map { "{model: x/m\($0), key: K\($0)}" }.joined(separator: ", ")
        let many = problems("purposes: {p: {models: [\(keys)]}}")
        #expect(many.count == 1 && many[0].hasSuffix("at most 256 different ones are possible"))
        let tooMuch = "holds too much: at most 1024 values and 16 KiB are possible"
        let long = String(repeating: "x", count: 20_000)
        #expect(problems("default_model: {model: a, options: {x: \(long)}}").first?.hasSuffix(tooMuch) == true)
        let deep = String(repeating: "[", count: 17) + String(repeating: "]", count: 17)
        #expect(
            problems("default_model: {model: a, options: {x: \(deep)}}").first?.hasSuffix(
                "is nested too deep: 16 levels are possible") == true)
        // Twenty levels of nine aliases each.
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]"
        for level in 1...20 {
            bomb += ", a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]"
        }
        #expect(problems("default_model: {model: a, options: {\(bomb)}}").first?.hasSuffix(tooMuch) == true)
    }
}

/// The settings of datasette-llm, as they stand in a datasette.yaml.
@Suite("A pasted block of datasette-llm") struct PastedBlockTests {
    @Test func meansWhatItMeansAtTheTop() throws {
        let block = """
            default_model: {model: echo, key: K}
            models: [echo, echo-needs-key]
            blocked_models: [echo-needs-key]
            require_keys: false
            purposes: {extract: {model: {model: echo, key: K2, options: {thinking: true}}, models: [echo]}}
            """
        let pasted = "plugins:\n  datasette-llm:\n" + block.split(separator: "\n").map { "    \($0)\n" }.joined()
        let reading = Reading.with(["DATASETTE_SECRETS_K": "k", "K2": "k2"])
        let (here, there) = (try reading.configuration(block), try reading.configuration(pasted))
        #expect(here == there && here.warnings == [])
        #expect(here.policy.keys.map(\.value) == ["k", "k2"])
    }

    @Test func isRefusedWhereTheTopSaysTheSame() {
        let yaml =
            "models: [echo]\nplugins:\n  datasette-llm:\n    models: [echo]\n    purposes: {a: }\npurposes: {b: }\n"
        #expect(
            Reading().problems(yaml) == [
                "b.yaml:4:5: field 'models' stands at the top already (line 1, column 1): say all of it in one of the two places",
                "b.yaml:5:5: field 'purposes' stands at the top already (line 6, column 1): say all of it in one of the two places",
            ])
    }

    @Test func mayStandAmongOtherPlugins() throws {
        let yaml = "plugins: {datasette-llm-limits: {limits: {}}, datasette-llm: {models: [echo]}, x: 1}"
        let configuration = try Reading().configuration(yaml)
        #expect(configuration.policy.models == ["echo"])
        #expect(
            configuration.warnings == [
                "b.yaml:1:11: the settings of the plugin 'datasette-llm-limits' are not Bulkhead's: only those of 'datasette-llm' count",
                "b.yaml:1:80: the settings of the plugin 'x' are not Bulkhead's: only those of 'datasette-llm' count",
            ])
        let wrong = Reading().problems("plugins: {datasette-llm: {model: x}}")
        #expect(
            wrong == ["b.yaml:1:27: unknown field 'model'; did you mean 'models'?"])
    }
}
