import Configuration
import Foundation
import Messages
import Testing

/// The providers that are known by name.
@Suite("A preset") struct PresetTests {
    @Test(arguments: ProviderPreset.all)
    func needsNothingButItsKeyAndItsModels(preset: ProviderPreset) throws {
        let models = ModelCatalogue.shipped.models(of: preset.kind).isEmpty ? "models: [m]" : ""
        let environment = preset.keyName.map { [$0: "k"] } ?? [:]
        for yaml in ["{\(preset.kind.rawValue): {\(models)}}", "{x: {type: \(preset.kind.rawValue), models: [m]}}"] {
            let configuration = try Reading.with(environment).configuration("providers: \(yaml)")
            let provider = configuration.providers[0]
            #expect(provider.kind == preset.kind)
            #expect(provider.baseURL == preset.baseURL)
            #expect(provider.keyName == preset.keyName)
            #expect(provider.key == (preset.keyName == nil ? nil : "k"))
            #expect(!provider.models.isEmpty)
            #expect(provider.models.allSatisfy { $0.needsKey == (preset.keyName != nil) })
            #expect(configuration.warnings == [])
        }
    }

    @Test func keepsItsKeyFromAnotherAddressUnlessItIsNamed() throws {
        let reading = Reading.with(["GROQ_API_KEY": "k"])
        let other = try reading.configuration("providers: {groq: {base_url: 'https://p.example'}}").providers[0]
        #expect(other.key == nil && other.keyName == nil)
        let named = "providers: {groq: {base_url: 'https://p.example', key: GROQ_API_KEY}}"
        #expect(try reading.configuration(named).providers[0].key == "k")
    }

    @Test func isOneOfEachTypeThatSpeaksAnAPIOfOpenAIs() {
        let kinds = ProviderSettings.Kind.allCases.filter { ![.echo, .echoFault, .openAICompatible].contains($0) }
        for kind in kinds { #expect(ProviderPreset.all.filter { $0.kind == kind }.count <= 1) }
        #expect(Set(ProviderPreset.all.map(\.kind)).isSubset(of: Set(kinds)))
    }

    @Test func allOfThemTogetherClaimNoModelTwice() throws {
        let names = ProviderPreset.all.filter { !ModelCatalogue.shipped.models(of: $0.kind).isEmpty }.map {
            "\($0.kind.rawValue): {}"
        }
        let environment = Dictionary(
            uniqueKeysWithValues: ProviderPreset.all.compactMap { $0.keyName.map { ($0, "k") } })
        let yaml = "providers: {\(names.joined(separator: ", "))}"
        #expect(try Reading.with(environment).configuration(yaml).providers.count == names.count)
    }

    /// The table in docs/configuration.md is this one.
    @Test func isInTheTableOfTheDocumentation() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
        let start = try #require(text.range(of: "| Type | Provider | `base_url` | `key` | Built-in models |"))
            .lowerBound
        let end = try #require(text.range(of: "\n\n", range: start..<text.endIndex)).lowerBound
        #expect(text[start..<end] == Self.table)
    }

    private static var table: String {
        let rows = ProviderPreset.all.map { preset in
            let count = ModelCatalogue.shipped.models(of: preset.kind).count
            return "| `\(preset.kind.rawValue)` | \(preset.title) | `\(preset.baseURL)` | "
                + (preset.keyName.map { "`\($0)`" } ?? "none")
                + (count == 0 ? " | none |" : " | [\(count)](providers.md#\(preset.kind.rawValue)) |")
        }
        return
            (["| Type | Provider | `base_url` | `key` | Built-in models |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }
}
