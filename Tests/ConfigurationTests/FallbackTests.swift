import Configuration
import Messages
import Testing

/// The field `fallbacks`.
@Suite("A fallback") struct FallbackTests {
    private static let providers =
        "providers: {x: {type: openai-compatible, base_url: 'https://x', models: [a, {id: b, aliases: [bee]}, c, d, e, f]}}\n"

    @Test func isNamedByIdOrAlias() throws {
        let configuration = try Reading().configuration(Self.providers + "fallbacks: {bee: [a, c], a: [bee]}")
        #expect(configuration.fallbacks == ["b": ["a", "c"], "a": ["b"]])
    }

    @Test func goesWithTheProvidersOfNoFile() throws {
        let reading = Reading.with(["OPENAI_API_KEY": "k"])
        #expect(try reading.configuration("fallbacks: {gpt-4o-mini: [echo]}").fallbacks == ["gpt-4o-mini": ["echo"]])
    }

    @Test(arguments: [
        ("[a]", 12, "field 'fallbacks': expected a mapping such as {gpt-4o-mini: [claude-haiku-4-5]}, found a list"),
        ("{bea: [a]}", 13, "field 'fallbacks': no provider serves the model 'bea'; did you mean 'bee'?"),
        ("{a: b}", 16, "field 'fallbacks.a': expected a list of models, found a string"),
        ("{a: }", 16, "field 'fallbacks.a': expected a list of models, found nothing"),
        ("{a: []}", 16, "field 'fallbacks.a': name at least one model"),
        (
            "{a: [b, 3]}", 20,
            "field 'fallbacks.a[1]': expected the id or alias of a model, found an integer; quote it to make it a string"
        ),
        (
            "{a: [other]}", 17,
            "field 'fallbacks.a[0]': no provider serves the model 'other'; add it to the 'models' of a provider"
        ),
        (
            "{b: [bee]}", 17,
            "field 'fallbacks.b[0]': a model cannot be its own fallback; name another, or raise 'retries' of its provider"
        ),
        ("{a: [b, bee]}", 20, "field 'fallbacks.a[1]': the model 'b' stands in this list already"),
        ("{b: [a], bee: [c]}", 21, "field 'fallbacks': the model 'b' has fallbacks already (line 2, column 13)"),
        ("{a: [b, c, d, e, f]}", 16, "field 'fallbacks.a': a list of at most 4 models, but it has 5"),
    ])
    func isRefusedWithFileAndLine(yaml: String, column: Int, message: String) {
        #expect(Reading().problems(Self.providers + "fallbacks: " + yaml) == ["b.yaml:2:\(column): \(message)"])
    }

    /// A provider that is wrong is what its reader must hear of, not the names that it would have had.
    @Test func isNotMissedWhereItsProviderCouldNotBeRead() {
        let lines = Reading().problems("providers: {echo: {}, x: {type: groqq}}\nfallbacks: {echo: [qwen3]}")
        #expect(lines.count == 1 && lines[0].contains("providers.x.type"))
    }
}
