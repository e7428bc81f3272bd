import Configuration
import Messages
import Testing

@Suite("A provider that is refused") struct RefusedProviderTests {
    private typealias Case = RefusedConfigurationTests.Case

    private static let names = "use 1 to 64 of a-z, 0-9, '_' and '-', beginning with a letter or digit"

    private static let types =
        "echo, openai, anthropic, gemini, openai-compatible, ollama, llama-cpp, vllm, lm-studio, groq, mistral, openrouter, deepseek, cerebras, xai"

    private static let cases = [
        Case("{Local: {type: echo}}", "b.yaml:1:13: 'Local' is no name for a provider: \(Self.names)"),
        Case("{-x: {type: echo}}", "b.yaml:1:13: '-x' is no name for a provider: \(Self.names)"),
        Case("{x: {}}", "b.yaml:1:13: provider 'x' needs a 'type': one of \(Self.types)"),
        Case(
            "{x: {type: ecko}}",
            "b.yaml:1:23: field 'providers.x.type': 'ecko' is not one of \(Self.types); did you mean 'echo'?"),
        Case(
            "{x: {type: llm-plugin}}",
            "b.yaml:1:23: field 'providers.x.type': this version does not support the type 'llm-plugin' yet; it supports \(Self.types)"
        ),
        Case(
            "{x: {type: echo-fault}}",
            "b.yaml:1:23: the type 'echo-fault' fails on purpose and needs 'testing: true' at the top of the file"),
        Case(
            "{x: {type: openai-compatible}}",
            "b.yaml:1:13: provider 'x' needs a 'base_url', such as http://127.0.0.1:11434/v1"),
        Case(
            "{echo: {base_url: 'http://x', models: [y]}}",
            "b.yaml:1:20: the type 'echo' has no field 'base_url': its models are fixed",
            "b.yaml:1:42: the type 'echo' has no field 'models': its models are fixed"),
        Case("{echo: {slots: 257}}", "b.yaml:1:27: field 'providers.echo.slots': must be from 1 to 256"),
        Case(
            "{echo: {slots: 99999999999999999999}}", "b.yaml:1:27: field 'providers.echo.slots': must be from 1 to 256"),
        Case("{echo: {retries: 6}}", "b.yaml:1:29: field 'providers.echo.retries': must be from 0 to 5"),
        Case(
            "{echo: {retries: [1]}}",
            "b.yaml:1:29: field 'providers.echo.retries': expected an integer from 0 to 5, found a list"),
        Case(
            "{echo: {slots: many}}",
            "b.yaml:1:27: field 'providers.echo.slots': expected an integer from 1 to 256, found a string"),
        Case(
            "{echo: {timeouts: {conect: 1s, idle: 0s, total: 86400001ms}}}",
            "b.yaml:1:31: unknown field 'conect'; did you mean 'connect'?",
            "b.yaml:1:49: field 'providers.echo.timeouts.idle': must be from 1ms to 1d",
            "b.yaml:1:60: field 'providers.echo.timeouts.total': must be from 1ms to 1d"),
        Case(
            "{a: {type: echo}, b: {type: echo}}",
            "b.yaml:1:30: provider 'a' has the model or alias 'echo' already (line 1, column 13)",
            "b.yaml:1:30: provider 'a' has the model or alias 'echo-needs-key' already (line 1, column 13)",
            "b.yaml:1:30: provider 'a' has the model or alias 'echo-embed' already (line 1, column 13)"),
        Case(
            "{a: {type: openai-compatible, base_url: 'https://a.example', models: [x, {id: y, aliases: [x, z, echo]}]}, echo: {}}",
            "b.yaml:1:103: this provider has the model or alias 'x' already (line 1, column 82)",
            "b.yaml:1:119: provider 'a' has the model or alias 'echo' already (line 1, column 109)"),
    ]

    @Test(arguments: Self.cases)
    private func isToldWhereAndWhat(of wrong: Case) {
        #expect(Reading().problems("providers: " + wrong.yaml) == wrong.lines)
    }

    @Test(arguments: [
        ("ftp://x", "must begin with https:// or http://"), ("http:/x", "must begin with https:// or http://"),
        ("http://", "has no host"), ("http:///v1", "has no host"), ("http://:80", "has no host"),
        ("https://u:hunter2@x/v1", "must not contain a user or password; name the variable of the key in 'key'"),
        ("https://x/v1?key=1", "must not have a query ('?') or fragment ('#')"),
        ("https://x/v1#a", "must not have a query ('?') or fragment ('#')"),
        ("https://x:0/", "has a port that is not a number from 1 to 65535"),
        ("https://x:65536/", "has a port that is not a number from 1 to 65535"),
        ("https://x:http/", "has a port that is not a number from 1 to 65535"),
        ("https://x y/", "contains a character that must be percent-encoded"),
        ("https://müsli.example/", "contains a character that must be percent-encoded"),
        ("https://[::1/", "has no valid IPv6 address between '[' and ']'"),
        ("https://a$b/", "has a host with a character that host names do not have"),
    ])
    func anAddressIsOneOfAnAPI(address: String, reason: String) {
        let yaml = "providers: {x: {models: [m], type: openai-compatible, base_url: '\(address)'}}"
        #expect(Reading().problems(yaml) == ["b.yaml:1:65: field 'providers.x.base_url': the address \(reason)"])
    }

    @Test(arguments: [
        ("[]", 25, "field 'providers.x.models': name at least one model"),
        ("m", 25, "field 'providers.x.models': expected a list of models, found a string"),
        (
            "[4]", 26,
            "field 'providers.x.models[0]': expected the id of a model, or {id, aliases}, found an integer; quote it to make it a string"
        ),
        (
            "['a b']", 26,
            "field 'providers.x.models[0]': a model's name has no spaces, quotes, backslashes, control characters or '..' between slashes"
        ),
        ("['']", 26, "field 'providers.x.models[0]': a model's name has 1 to 256 bytes"),
        ("[{aliases: [b]}]", 26, "field 'providers.x.models[0]': a model needs an 'id'"),
        ("[{id: a, aliase: b}]", 34, "unknown field 'aliase'; did you mean 'aliases'?"),
        (
            "[{id: a, aliases: b}]", 43,
            "field 'providers.x.models[0].aliases': expected a list of aliases, found a string"
        ),
    ])
    func modelsAreAList(models: String, column: Int, message: String) {
        let yaml = "providers: {x: {models: \(models), type: openai-compatible, base_url: 'https://x'}}"
        #expect(Reading().problems(yaml) == ["b.yaml:1:\(column): \(message)"])
    }

    @Test func slotsAndProvidersAreBounded() {
        func yaml(_ count: Int, _ slots: Int) -> String {
            let providers = (0..<count).map {
                "  p\($0): {type: openai-compatible, base_url: 'https://x', models: [m\($0)], slots: \(slots)}\n"
            }
            return "providers:\n" + providers.joined()
        }
        #expect(Reading().problems(yaml(64, 16)) == [])
        #expect(
            Reading().problems(yaml(64, 17)) == [
                "b.yaml:2:3: field 'providers': all providers together have 1088 slots; at most 1024 are possible"
            ])
        #expect(
            Reading().problems(yaml(65, 1)) == [
                "b.yaml:2:3: field 'providers': has 65 providers; at most 64 are possible"
            ])
    }

    @Test func aDefaultModelMustExist() throws {
        let local =
            "providers: {x: {type: openai-compatible, base_url: 'https://x', models: [{id: qwen3, aliases: [q]}]}}\n"
        #expect(try Reading().configuration(local + "default_model: q").defaultModel == "q")
        let place = "b.yaml:2:16: field 'default_model': no provider serves the model"
        #expect(Reading().problems(local + "default_model: qwen2") == ["\(place) 'qwen2'; did you mean 'qwen3'?"])
        #expect(
            Reading().problems(local + "default_model: other") == [
                "\(place) 'other'; add it to the 'models' of a provider"
            ])
        #expect(
            Reading().problems("default_model: gpt-4o") == [
                "b.yaml:1:16: field 'default_model': no provider serves the model 'gpt-4o'; "
                    + "set OPENAI_API_KEY, and add the provider 'openai'"
            ])
    }
}
