import Configuration
import Foundation
import Messages
import Testing

/// Where a key is looked for, in which order.
@Suite("The places of keys") struct KeySourceTests {
    /// Every place has the key `K`, each another one.
    private static func everywhere() -> Reading {
        var reading = Reading.with([
            "CREDENTIALS_DIRECTORY": "/run/c", "K": "variable", "DATASETTE_SECRETS_K": "datasette",
        ])
        reading.keyFiles = [
            "/run/c/K": .content(Array("credential\n".utf8)),
            "/home/ada/.config/io.datasette.llm/keys.json": .content(Array(#"{"// Note": "n", "K": "llm"}"#.utf8)),
        ]
        reading.secrets = ["K": .value("stored")]
        return reading
    }

    private func key(_ reading: Reading, named name: String = "K") throws -> NamedKey {
        try #require(try reading.configuration("default_model: {model: echo, key: \(name)}").policy.keys.first)
    }

    @Test func areAskedInTheirOrder() throws {
        var reading = Self.everywhere()
        #expect(try self.key(reading) == NamedKey(name: "K", value: "credential", source: "credential"))
        reading.keyFiles["/run/c/K"] = nil
        #expect(try self.key(reading) == NamedKey(name: "K", value: "variable", source: "environment"))
        reading.environment["K"] = ""
        #expect(try self.key(reading) == NamedKey(name: "K", value: "datasette", source: "environment"))
        reading.environment["DATASETTE_SECRETS_K"] = nil
        #expect(try self.key(reading) == NamedKey(name: "K", value: "stored", source: "store"))
        reading.secrets = [:]
        #expect(try self.key(reading) == NamedKey(name: "K", value: "llm", source: "llm_keys"))
        reading.keyFiles = [:]
        #expect(try self.key(reading) == NamedKey(name: "K"))
    }

    @Test func areTheSameForAProvidersKey() throws {
        let provider = try Self.everywhere().configuration("providers: {openai: {key: K}}").providers[0]
        #expect(provider.key == "credential" && provider.keyName == "K" && provider.keySource == "credential")
    }

    /// As in llm, whose keys count for more than the environment.
    @Test func ofAProvidersOwnKeyEndWithItsVariable() throws {
        let yaml = "providers: {openai: {}}"
        var reading = Reading.with(["OPENAI_API_KEY": "variable"])
        let keys = "/home/ada/.config/io.datasette.llm/keys.json"
        reading.keyFiles[keys] = .content(Array(#"{"openai": "llm"}"#.utf8))
        var provider = try reading.configuration(yaml).providers[0]
        #expect(provider.key == "llm" && provider.keySource == "llm_keys" && provider.keyName == "OPENAI_API_KEY")
        reading.secrets = ["OPENAI_API_KEY": .value("stored")]
        provider = try reading.configuration(yaml).providers[0]
        #expect(provider.key == "stored" && provider.keySource == "store")
        provider = try reading.configuration("providers: {openai: {key: OPENAI_API_KEY}}").providers[0]
        #expect(provider.key == "variable", "who names the variable means it")
        reading.environment["OPENAI_API_KEY"] = nil
        reading.secrets = [:]
        provider = try reading.configuration("providers: {openai: {key: OPENAI_API_KEY}}").providers[0]
        #expect(provider.key == "llm")
    }

    /// A key goes to no other address, and to no other name's provider, unasked.
    @Test(arguments: [
        "openai: {base_url: 'https://elsewhere.example'}", "openai: {base_url: 'https://elsewhere.example', key: MINE}",
        "local: {type: openai-compatible, base_url: 'https://x', models: [m]}", "openai: {key: MINE}",
    ])
    func ofLLMAreNotGuessedForOtherAddressesOrKeys(provider: String) throws {
        var reading = Reading()
        reading.keyFiles["/home/ada/.config/io.datasette.llm/keys.json"] = .content(
            Array(#"{"openai": "llm", "local": "llm", "openai-compatible": "llm"}"#.utf8))
        #expect(try reading.configuration("providers: {\(provider)}").providers[0].key == nil)
    }

    @Test func ofLLMGoByTheProvidersNameAndType() throws {
        var reading = Reading()
        let path = "/home/ada/.config/io.datasette.llm/keys.json"
        reading.keyFiles[path] = .content(Array(#"{"anthropic": "by type", "work": "by name"}"#.utf8))
        let yaml = "providers: {claude: {type: anthropic}, work: {type: groq}}"
        #expect(try reading.configuration(yaml).providers.map(\.key) == ["by type", "by name"])
    }

    @Test func haveOpenAIWithoutAFile() throws {
        var reading = Reading()
        reading.secrets = ["OPENAI_API_KEY": .value("stored")]
        let configuration = try reading.configuration(nil)
        #expect(configuration.providers.map(\.name) == ["echo", "openai"])
        #expect(configuration.defaultModel == "gpt-4o-mini")
    }

    @Test func ofLLMAreWhereTheOperatorSaysOrLLMHasThem() throws {
        let content = KeyFile.content(Array(#"{"K": "llm"}"#.utf8))
        var reading = Reading()
        reading.keyFiles = ["/srv/keys.json": content]
        #expect(
            try reading.configuration("secrets: {llm_keys: /srv/keys.json}\ndefault_model: {model: echo, key: K}")
                .policy
                .keys[0].value == "llm")
        reading.environment["LLM_USER_PATH"] = "/srv"
        #expect(try self.key(reading).value == "llm")
        reading.environment["LLM_USER_PATH"] = nil
        #expect(try self.key(reading).value == nil)
    }

    @Test(arguments: [
        (KeyFile.absent, "llm's keys are not at /k.json: there is no such file"),
        (
            .unreadable("user 7 may not read it"),
            "llm's keys at /k.json cannot be read, and are not used: user 7 may not"
        ),
        (.content(Array(#"{"K": "s3cret""#.utf8)), "llm's keys at /k.json are not used: the file is no JSON object"),
        (.content(Array(#"["s3cret"]"#.utf8)), "llm's keys at /k.json are not used: the file is no JSON object"),
        (.content([0xFF]), "llm's keys at /k.json are not used: the file is no JSON object"),
        (
            .content(Array(#"{"K": "s3cret"}"#.utf8), isOpenToOthers: true),
            "other users can read llm's keys at /k.json: chmod 600 /k.json"
        ),
    ])
    func ofLLMThatAreBrokenAreAWarning(file: KeyFile, warning: String) throws {
        var reading = Reading()
        reading.keyFiles["/k.json"] = file
        let warnings = try reading.configuration("secrets: {llm_keys: /k.json}").warnings
        #expect(warnings.count == 1 && warnings[0].hasPrefix("b.yaml:1:21: field 'secrets.llm_keys': " + warning))
        #expect(!warnings.joined().contains("s3cret"))
    }

    @Test(arguments: [
        (KeyFile.content(Array("s3c\nret".utf8)), "the credential K contains a control character"),
        (.content([0xC3, 0x28]), "the credential K is not UTF-8 text"),
        (.unreadable("user 7 may not read it"), "the credential K cannot be read: user 7 may not read it"),
        (.content(Array(repeating: 0x61, count: 8193)), "the credential K is longer than 8192 bytes"),
    ])
    func refuseACredentialThatCannotBeUsed(file: KeyFile, problem: String) {
        var reading = Self.everywhere()
        reading.keyFiles["/run/c/K"] = file
        let problems = reading.problems("providers: {openai: {key: K}}")
        #expect(problems.count == 1 && problems[0].contains("field 'providers.openai.key': \(problem)"))
        #expect(!problems.joined().contains("ret"))
    }

    /// Another place's key would be somebody else's.
    @Test func doNotReplaceASecretThatCannotBeUsed() throws {
        var reading = Self.everywhere()
        reading.keyFiles["/run/c/K"] = nil
        reading.environment = ["XDG_RUNTIME_DIR": "/r", "HOME": "/home/ada"]
        reading.secrets = ["K": .unusable("it was made with another master key")]
        let configuration = try reading.configuration("providers: {echo: {key: K}}")
        let reason = "the secret K of the store cannot be used: it was made with another master key"
        #expect(configuration.providers[0].key == nil && configuration.providers[0].keyProblem == reason)
        #expect(configuration.providers[0].keySource == "store")
        #expect(configuration.warnings.count == 1 && configuration.warnings[0].contains(reason))
        let summary = ConfigurationSummary(configuration).description
        #expect(summary.contains("key K (cannot be used: encrypted store)"))
    }

    @Test func areNeverShown() throws {
        let yaml =
            "providers: {echo: {key: K}}\ndefault_model: {model: echo, key: K}\npurposes: {p: {model: {model: echo, key: K}}}"
        var reading = Self.everywhere()
        for (place, key) in [("systemd credential", "credential\n"), ("environment", "variable")] {
            let configuration = try reading.configuration(yaml)
            let summary = ConfigurationSummary(configuration).description
            #expect(summary.contains("key from K (\(place))"))
            #expect(!summary.replacing("systemd credential", with: "").contains(key.trimmingCharacters(in: .newlines)))
            reading.keyFiles = [:]
        }
    }

    @Test(arguments: [
        ("llm_keys: keys.json", "field 'secrets.llm_keys': the path must be absolute: begin it with '/'"),
        ("master_key_file: /etc/", "field 'secrets.master_key_file': the path must name a file, not a directory"),
        ("lm_keys: /x", "unknown field 'lm_keys'; did you mean 'llm_keys'?"),
    ])
    func areNamedByAbsolutePaths(field: String, problem: String) {
        let problems = Reading().problems("secrets: {\(field)}")
        #expect(problems.count == 1 && problems[0].hasSuffix(problem))
    }

    @Test func areReadFromFiles() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("s3cret", to: "key")
        #expect(chmod(path, 0o600) == 0)
        #expect(KeyFile.load(path) == .content(Array("s3cret".utf8)))
        #expect(chmod(path, 0o640) == 0)
        #expect(KeyFile.load(path) == .content(Array("s3cret".utf8), isOpenToOthers: true))
        #expect(KeyFile.load("\(path)/x") == .absent && KeyFile.load("\(directory.path)/none") == .absent)
        #expect(KeyFile.load(directory.path) == .unreadable("it is not a regular file"))
        let pipe = "\(directory.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(KeyFile.load(pipe) == .unreadable("it is not a regular file"))
        let long = try directory.write(String(repeating: "a", count: 1 << 20 + 1), to: "long")
        #expect(KeyFile.load(long) == .unreadable("it is longer than 1048576 bytes"))
    }
}
