import Configuration
import Messages
import Testing

@Suite("A key") struct KeyTests {
    private func yaml(key: String, address: String = "https://x") -> String {
        "providers: {x: {key: \(key), type: openai-compatible, base_url: '\(address)', models: [m]}}"
    }

    @Test func comesFromTheVariableThatIsNamed() throws {
        let provider = try Reading.with(["X_KEY": "s3cret"]).configuration(self.yaml(key: "X_KEY")).providers[0]
        #expect(provider.key == "s3cret")
        #expect(provider.keyName == "X_KEY")
        #expect(provider.models == [ModelDescription(id: "m", needsKey: true)])
    }

    @Test func thatIsNotSetIsAWarningAndAModelThatNeedsIt() throws {
        for environment in [[:], ["X_KEY": ""]] {
            let configuration = try Reading.with(environment).configuration(self.yaml(key: "X_KEY"))
            #expect(configuration.providers[0].key == nil)
            #expect(configuration.providers[0].keyName == "X_KEY")
            #expect(configuration.providers[0].models == [ModelDescription(id: "m", needsKey: true)])
            #expect(
                configuration.warnings == [
                    "b.yaml:1:22: field 'providers.x.key': there is no key X_KEY: set it with 'bulkhead secrets set X_KEY', "
                        + "or the environment variable of that name; until then this provider's models lack their key"
                ])
        }
    }

    @Test func thatNobodyNamesIsNotNeeded() throws {
        let yaml = "providers: {x: {type: openai-compatible, base_url: 'https://x', models: [m]}}"
        let provider = try Reading.with(["X_KEY": "s3cret", "OPENAI_API_KEY": "k"]).configuration(yaml).providers[0]
        #expect(provider.key == nil && provider.keyName == nil && !provider.models[0].needsKey)
    }

    @Test(arguments: [
        "sk-proj-abcdefghijkl", "sk-ant-api03-0123456789", "gsk_0123456789abcdef", "AIzaSyA0123456789abcdef",
        "0123456789abcdef0123456789abcdef", "abcDEF0123456789abcDEF0123456789", "'Bearer abcdefgh'",
        "hf_abcdefghijkl0123456789",
    ])
    func inTheFileItselfIsRefusedAndNotRepeated(secret: String) {
        let bare = secret.replacing("'", with: "")
        let lines = Reading().problems(self.yaml(key: secret))
        #expect(
            lines == [
                "b.yaml:1:22: field 'providers.x.key': expected the name of a key, "
                    + "found what looks like a key itself; take it out of this file, and consider it known to others"
            ])
        // Nor anywhere else, if it was put in the wrong place.
        let places = [
            "\(secret): 1", "providers: {\(secret): {type: echo}}", "providers: {x: {type: \(secret)}}",
            "socket: {group: \(secret)}",
            "default_model: \(secret)", "drain_timeout: \(secret)", "socket: {mode: \(secret)}",
            "log: {durability: \(secret)}",
            "providers: {x: {\(secret): 1}}", "state_directory: \(secret)", "providers: {\(secret): {slots: 0}}",
            "{\(secret): 1, \(secret): 2}", "testing: \(secret)", "log: {\(secret): {a: 1}}",
        ]
        for place in places {
            let lines = Reading().problems(place)
            #expect(!lines.isEmpty && lines.allSatisfy { !$0.contains(bare) }, "\(lines)")
        }
    }

    @Test func isNotSuspectedInNamesThatPeopleChoose() throws {
        for name in ["hf_inference_endpoints", "xai-grok", "key-value", "gpu-node-0123456789-rack-42"] {
            let configuration = try Reading().configuration("providers: {\(name): {type: echo}}")
            #expect(configuration.providers.map(\.name) == [name])
        }
    }

    @Test(arguments: ["'my key'", "''", "KEY=1", "$KEY", "a/b", ".KEY", "-KEY", "..", "é"])
    func isNamedInFewCharacters(name: String) {
        #expect(
            Reading().problems(self.yaml(key: name)) == [
                "b.yaml:1:22: field 'providers.x.key': expected the name of a key: "
                    + "1 to 128 letters, digits, '_', '-' and '.', such as OPENAI_API_KEY"
            ])
    }

    @Test func thatCannotTravelInAHeaderIsRefused() {
        let lineBreak = Reading.with(["X_KEY": "s3cret\n"]).problems(self.yaml(key: "X_KEY"))
        #expect(
            lineBreak == [
                "b.yaml:1:22: field 'providers.x.key': the environment variable X_KEY contains a control character; "
                    + "is there a line break at its end?"
            ])
        let long = Reading.with(["OPENAI_API_KEY": String(repeating: "a", count: 8193)]).problems(nil)
        #expect(long == ["environment: the environment variable OPENAI_API_KEY is longer than 8192 bytes"])
    }

    @Test(arguments: [
        ("http://10.0.0.1/v1", true), ("http://127.0.0.1.example/v1", true), ("http://127.0.0.1/v1", false),
        ("http://127.9.8.7:80/v1", false), ("http://[::1]/v1", false), ("http://localhost/v1", false),
        ("https://10.0.0.1/v1", false),
    ])
    func thatWouldTravelInTheClearIsAWarning(address: String, isWarned: Bool) throws {
        let configuration = try Reading.with(["X_KEY": "s3cret"]).configuration(
            self.yaml(key: "X_KEY", address: address))
        let warning =
            "b.yaml:1:64: field 'providers.x.base_url': the key travels in the clear: use https:// for a provider on another machine"
        #expect(configuration.warnings == (isWarned ? [warning] : []))
        let withoutKey = "providers: {x: {type: openai-compatible, base_url: '\(address)', models: [m]}}"
        #expect(try Reading().configuration(withoutKey).warnings == [])
    }

    @Test func ofEchoHasItsOwnVariable() throws {
        let reading = Reading.with(["LLM_ECHO_NEEDS_KEY_KEY": "e", "OTHER": "o"])
        let usual = try reading.configuration("providers: {echo: {}}").providers[0]
        #expect(usual.key == "e" && usual.keyName == "LLM_ECHO_NEEDS_KEY_KEY")
        let named = try reading.configuration("providers: {echo: {key: OTHER}}").providers[0]
        #expect(named.key == "o" && named.keyName == "OTHER")
        #expect(named.models.map(\.id) == ["echo", "echo-needs-key", "echo-embed"])
        #expect(named.models.map(\.needsKey) == [false, true, false])
    }

    @Test func isNotInTheSummary() throws {
        let reading = Reading.with(["OPENAI_API_KEY": "s3cret"])
        let summary = ConfigurationSummary(try reading.configuration(nil)).description
        #expect(!summary.contains("s3cret"))
        #expect(summary.contains("key from OPENAI_API_KEY (environment)"))
        #expect(summary.contains("key LLM_ECHO_NEEDS_KEY_KEY (not set)"))
    }
}
