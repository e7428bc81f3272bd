import Foundation
import JSON
import Policy
import Recordings
import Testing

@testable import Messages

/// What datasette-llm makes of 19 configurations, with keys and without (docs/policy.md).
struct VectorTests {
    /// Where we differ, and what we say instead: by configuration, environment and purpose.
    ///
    /// - Aliases match. `["alias-m1"]` is m1.
    /// - A model is listed by its own key, not by that of the provider's first model.
    /// - A list that is written empty allows nothing.
    private static let differences: [String: [String]] = [
        #"{"models":["alias-m1"]} {} *"#: ["m1"],
        #"{"models":["alias-m1"]} PROV *"#: ["m1"],
        #"{"models":["alias-m1"]} PK *"#: ["m1"],
        #"{"purposes":{"p":{"models":[{"model":"m5","key":"PK"},"m4"]}}} PK p"#: ["m5"],
        #"{"purposes":{"p":{"models":[{"model":"m4","key":"PK"},"m5"]}}} PK p"#: ["m4"],
        #"{"models":[],"purposes":{"p":{"models":[]}}} {} *"#: [],
        #"{"models":[],"purposes":{"p":{"models":[]}}} PROV *"#: [],
        #"{"models":[],"purposes":{"p":{"models":[]}}} PK *"#: [],
    ]

    @Test(.enabled(if: SharedFolder.holds("reference/vectors/model_config.json"), "no shared folder"))
    func everyCaseIsAsTheOriginalHasItOrAsTheDocumentationSays() throws {
        let file = try #require(SharedFolder.url).appendingPathComponent("reference/vectors/model_config.json")
        let cases = try #require(try JSONValue(parsing: Array(Data(contentsOf: file))).array)
        #expect(cases.count == 57)
        var used: Set<String> = []
        for vector in cases {
            let config = try #require(vector["config"])
            let environment = try #require(vector["env"]?.members)
            var (settings, defaultModel) = try PolicySettings.block(config)
            var registry = Registry()
            registry.keyed.key = environment.first { $0.name.hasSuffix("PROV_API_KEY") }?.value.string
            for name in ["PK", "QK", "GK", "K"] {
                let value = environment.first { $0.name == "DATASETTE_SECRETS_\(name)" }?.value.string
                settings.keys.append(NamedKey(name: name, value: value))
            }
            let policy = registry.policy(settings, defaultModel: defaultModel)
            let keys = environment.isEmpty ? "{}" : environment[0].name.hasSuffix("_PK") ? "PK" : "PROV"
            for (purpose, name) in [(nil, "None"), ("p", "p"), ("other", "other")] as [(String?, String)] {
                var expected = vector["models(\(name))"]?.array?.compactMap(\.string)
                for place in ["\(config.text) \(keys) *", "\(config.text) \(keys) \(name)"] {
                    guard let difference = Self.differences[place] else { continue }
                    #expect(expected != difference, "\(place) is no difference")
                    expected = difference
                    used.insert(place)
                }
                #expect(registry.listing(policy, purpose) == expected, "\(config.text) \(keys) \(name)")
                let rules = policy.rules(for: purpose)
                #expect(
                    rules.defaultModel ?? "ModelNotFoundError" == vector["default(\(name))"]?.string,
                    "\(config.text) \(keys) \(name)")
                let m5 = vector["m5(\(name))"]
                #expect(
                    registry.key(policy, "m5", purpose).value == m5?["key"]?.string, "\(config.text) \(keys) \(name)")
                #expect(
                    rules.options(for: "m5").map { String(decoding: $0, as: UTF8.self) }
                        == m5?["options"].flatMap { $0 == .null ? nil : $0.text }, "\(config.text) \(keys) \(name)")
            }
        }
        #expect(used == Set(Self.differences.keys))
    }
}

extension JSONValue {
    fileprivate var text: String { String(decoding: self.serialized(), as: UTF8.self) }
}
