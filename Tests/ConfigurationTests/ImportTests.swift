import Configuration
import Messages
import Testing

@Suite("The import of a datasette.yaml") struct ImportTests {
    private static let datasette = """
        databases:
          legislators: {allow: {id: root}}
        permissions: {}
        plugins:
          datasette-llm:
            default_model: {model: gpt-4o-mini, key: MAIN_KEY}
            models:
            - gpt-4o-mini
            - claude-haiku-4-5
            - qwen3
            blocked_models: [gpt-4o]
            require_keys: false
            purposes:
              enrichments:
                model: 4o-mini
                models: [{model: gemini-2.5-flash, key: GEMINI_ENRICHMENTS, options: {temperature: 0, stop_sequences: ["no", "a: b"]}}]
              extract: {blocked_models: [qwen3], models: []}
              simple_prompt:
          datasette-llm-limits: {limits: {}}
          datasette-llm-accountant: {default_reservation_usd: 1}
          datasette-secrets: {encryption-key: s3cret}
          datasette-enrichments: {x: 1}
        """

    private static let expected = """
        # Made of the settings of datasette-llm in datasette.yaml.

        # For requests that name no model, and whose purpose has none.
        default_model: {model: gpt-4o-mini, key: MAIN_KEY}

        # The only models that may be asked, beside those of a purpose.
        models:
          - gpt-4o-mini
          - claude-haiku-4-5
          - qwen3
        # These may not be asked, whatever other lists say.
        blocked_models:
          - gpt-4o
        # Models without their key are listed too.
        require_keys: false

        # What requests are for, and what that changes.
        purposes:
          enrichments:
            model: "4o-mini"
            models:
              - {model: gemini-2.5-flash, key: GEMINI_ENRICHMENTS, options: {temperature: 0, stop_sequences: ["no", "a: b"]}}
          extract:
            blocked_models:
              - qwen3
          simple_prompt: {}

        # The keys that are named above are looked up as Datasette's secrets are, among other places:
        # DATASETTE_SECRETS_MAIN_KEY, DATASETTE_SECRETS_GEMINI_ENRICHMENTS

        # Who serves the models above. Each has its models, its address and the name of its key.
        providers:
          openai: {}   # key: OPENAI_API_KEY
          anthropic: {}   # key: ANTHROPIC_API_KEY
          gemini: {}   # key: GEMINI_API_KEY

        """

    private func converted(_ text: String) throws -> (yaml: String, notes: [String]) {
        let outcome = DatasetteImport.convert(ConfigurationFile(name: "/srv/datasette.yaml", text: text))
        guard case .converted(let yaml, let notes) = outcome else { throw Reading.Refused(problems: ["\(outcome)"]) }
        return (yaml, notes.map(\.description))
    }

    @Test func takesOverWhatItCanAndSaysWhatItCannot() throws {
        let (yaml, notes) = try self.converted(Self.datasette)
        #expect(yaml == Self.expected)
        let file = "/srv/datasette.yaml"
        let block = "field 'plugins.datasette-llm"
        #expect(
            notes == [
                "\(file):1:1: 'databases' is Datasette's and stays there",
                "\(file):3:1: 'permissions' is Datasette's and stays there",
                "\(file):10:7: \(block).models[2]': no provider serves the model 'qwen3'; add it to the 'models' of a provider",
                "\(file):17:34: \(block).purposes.extract.blocked_models[0]': no provider serves the model 'qwen3'; "
                    + "add it to the 'models' of a provider",
                "\(file):17:50: \(block).purposes.extract.models': an empty list allows all models in Datasette and none "
                    + "here, and is left out",
                "\(file):19:3: the settings of the plugin 'datasette-llm-limits' are left out: limits on spending are "
                    + "not in this version",
                "\(file):20:3: the settings of the plugin 'datasette-llm-accountant' are left out: limits on spending "
                    + "are not in this version",
                "\(file):21:3: the settings of the plugin 'datasette-secrets' are left out: 'bulkhead secrets import' "
                    + "takes over the secrets themselves",
                "\(file):22:3: the settings of the plugin 'datasette-enrichments' stay in Datasette",
            ])
    }

    @Test func makesAFileThatIsAcceptedAndMeansTheSame() throws {
        let configuration = try Reading().configuration(try self.converted(Self.datasette).yaml)
        #expect(configuration.providers.map(\.name) == ["openai", "anthropic", "gemini"])
        #expect(configuration.defaultModel == ModelReference("gpt-4o-mini", key: "MAIN_KEY"))
        let policy = configuration.policy
        #expect(policy.models == ["gpt-4o-mini", "claude-haiku-4-5", "qwen3"] && !policy.requiresKeys)
        #expect(
            policy.purposes == [
                PurposeSettings(
                    name: "enrichments", model: "4o-mini",
                    models: [
                        ModelReference(
                            "gemini-2.5-flash", key: "GEMINI_ENRICHMENTS",
                            options: Array(#"{"temperature":0,"stop_sequences":["no","a: b"]}"#.utf8))
                    ]),
                PurposeSettings(name: "extract", blockedModels: ["qwen3"]), PurposeSettings(name: "simple_prompt"),
            ])
    }

    @Test(arguments: [
        (
            "default_model: telepathy", "",
            ["no provider serves the model 'telepathy'; add it to the 'models' of a provider"]
        ),
        ("models: []", "", ["an empty list allows all models in Datasette and none here, and is left out"]),
        (
            "models: [{model: echo}]", "models: []",
            ["a list of names is expected here: a model with a key or options goes"]
        ),
        (
            "default_model: {$env: MODEL}", "",
            ["a model needs its name in 'model'", "'$env' is Datasette's and not known here"]
        ),
        ("mdels: [a]", "", ["unknown field 'mdels'; did you mean 'models'?"]),
        (
            "default_model: {model: echo, key: sk-proj-abcdefghijkl}", "default_model: echo",
            ["expected the name of a key, found what looks like a key itself"]
        ),
        ("purposes: {'a b': {model: echo}}", "", ["'a b' is no name for a purpose"]),
        ("default_model: openai/gpt-9", "default_model: openai/gpt-9", []),
        (#"models: ["\u00e9\n#", 'x: {y}']"#, #"  - "\U000000E9\U0000000A#""#, ["no provider", "no provider"]),
    ])
    func leavesOutWhatIsWrong(field: String, line: String, problems: [String]) throws {
        let (yaml, notes) = try self.converted("plugins:\n  datasette-llm:\n    \(field)\n")
        #expect(
            line.isEmpty ? !yaml.contains("odel") || yaml.contains("providers:") : yaml.contains("\n\(line)\n"),
            "\(yaml)")
        #expect(notes.count == problems.count)
        for (note, problem) in zip(notes, problems) { #expect(note.contains(problem)) }
        #expect(Reading().problems(yaml) == [])
    }

    @Test func readsJSON() throws {
        let text = "{\n\t\"title\": \"x\",\n\t\"plugins\": {\"datasette-llm\": {\"default_model\": \"echo\"}}\n}"
        let (yaml, notes) = try self.converted(text)
        #expect(try Reading().configuration(yaml).defaultModel == "echo")
        #expect(notes == ["/srv/datasette.yaml:2:2: 'title' is Datasette's and stays there"])
    }

    @Test(arguments: [
        ("", "b.yaml: there are no settings of datasette-llm under 'plugins' to import"),
        (
            "plugins: {datasette-llm-limits: {}}",
            "b.yaml: there are no settings of datasette-llm under 'plugins' to import"
        ),
        (
            "plugins: {datasette-llm: [1]}",
            "b.yaml:1:26: field 'plugins.datasette-llm': expected a mapping, found a list"
        ),
        ("plugins: [\n", "b.yaml:2:1: not valid YAML"),
    ])
    func isRefusedWhereThereIsNothingToImport(text: String, problem: String) {
        guard case .refused(let problems) = DatasetteImport.convert(ConfigurationFile(name: "b.yaml", text: text))
        else {
            Issue.record("converted")
            return
        }
        #expect(problems.first?.description.hasPrefix(problem) == true, "\(problems)")
    }

    @Test func isTheProgramsToo() throws {
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(["--import", try directory.write(Self.datasette, to: "datasette.yaml")])
        #expect(run.exitCode == 0 && run.output == Self.expected)
        #expect(run.errors.contains("/datasette.yaml:1:1: 'databases' is Datasette's and stays there\n"))
        #expect(!run.errors.contains("s3cret"))
        let check = try ProgramRun(["--check", try directory.write(run.output)])
        #expect(check.exitCode == 0)
        let nothing = try ProgramRun(["--import", try directory.write("a: 1\n")])
        #expect(nothing.exitCode == 1 && nothing.output == "")
        #expect(try ProgramRun(["--import", "/nonexistent"]).exitCode == 1)
    }

    /// Whatever it names: the providers that it comes to get along with each other.
    @Test func namesProvidersThatFitTogether() throws {
        let kinds = ProviderSettings.Kind.allCases.filter { $0 != .echoFault }
        let names = kinds.flatMap { ModelCatalogue.shipped.models(of: $0).map(\.id) }
        let quoted = names.map { "\"\($0)\"" }.joined(separator: ", ")
        let (yaml, notes) = try self.converted("plugins: {datasette-llm: {models: [\(quoted)]}}")
        #expect(notes == [])
        #expect(try Reading().configuration(yaml).policy.models == names)
    }
}
