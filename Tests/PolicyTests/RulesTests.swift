import Policy
import Testing

@testable import Messages

/// What lists, references and their order mean.
struct RulesTests {
    private let registry = Registry()

    @Test func withoutListsAnythingMayBeAsked() {
        let policy = self.registry.policy(PolicySettings())
        #expect(policy.rules(for: nil).refusal(of: "anything") == nil)
        #expect(policy.rules(for: "p").refusal(of: "anything") == nil)
    }

    @Test func aRefusalNamesTheListThatSaysSo() {
        let policy = self.registry.policy(
            PolicySettings(
                models: ["m3"], blockedModels: ["m1"],
                purposes: [PurposeSettings(name: "p", models: ["m1", "m2", "m4"], blockedModels: ["m2"])]))
        func message(_ model: String, _ purpose: String?) -> String? {
            policy.rules(for: purpose).refusal(of: model)?.message
        }
        #expect(message("m1", "p") == "the model 'm1' may not be used: it is in blocked_models")
        #expect(message("m2", "p") == "the model 'm2' may not be used: it is in blocked_models of the purpose 'p'")
        #expect(message("m3", "p") == nil && message("m4", "p") == nil)
        #expect(
            message("m5", "p")
                == "the model 'm5' may not be used: it is not in models of the purpose 'p' and models, which say what may; see op models"
        )
        #expect(
            message("m5", nil)
                == "the model 'm5' may not be used: it is not in models, which say what may; see op models")
        #expect(policy.rules(for: "p").refusal(of: "m5")?.code == .notAllowed)
    }

    @Test func anEmptyListAllowsNothingAndNoOtherListWidensIt() {
        let policy = self.registry.policy(
            PolicySettings(
                models: ["m1"],
                purposes: [PurposeSettings(name: "closed", model: "m1", models: []), PurposeSettings(name: "open")]),
            defaultModel: "m2")
        #expect(policy.rules(for: "closed").refusal(of: "m1") != nil)
        #expect(policy.rules(for: "open").refusal(of: "m1") == nil)
        #expect(policy.rules(for: nil).refusal(of: "m2") == nil)
    }

    @Test func aliasesMatchEverywhere() {
        let policy = self.registry.policy(
            PolicySettings(
                blockedModels: ["alias-m2"],
                purposes: [
                    PurposeSettings(
                        name: "p", model: ModelReference("alias-m5", key: "PK", options: Array(#"{"a":1}"#.utf8)))
                ], keys: [NamedKey(name: "PK", value: "secret", source: "store")]))
        let rules = policy.rules(for: "p")
        #expect(rules.defaultModel == "m5")
        #expect(rules.refusal(of: "m2") != nil)
        #expect(rules.options(for: "m5") == Array(#"{"a":1}"#.utf8))
        #expect(
            self.registry.key(policy, "m5", "p")
                == .key("secret", name: "PK", source: "store", isOwn: false))
    }

    @Test func aKeyThatIsSetNowhereGivesWayAndOneThatCannotBeUsedDoesNot() {
        var registry = self.registry
        registry.keyed.key = "own"
        func choice(_ key: NamedKey) -> KeyChoice {
            let settings = PolicySettings(
                purposes: [PurposeSettings(name: "p", models: [ModelReference("m4", key: "PK")])], keys: [key])
            return registry.key(registry.policy(settings), "m4", "p")
        }
        #expect(choice(NamedKey(name: "PK")) == .key("own", name: "PROV_API_KEY", source: nil, isOwn: true))
        #expect(choice(NamedKey(name: "PK", problem: "no")) == .unusable(name: "PK", reason: "no"))
        registry.keyed.key = nil
        #expect(choice(NamedKey(name: "PK")) == .missing(names: ["PK", "PROV_API_KEY"]))
        registry.keyed.keyProblem = "broken"
        #expect(choice(NamedKey(name: "PK")) == .unusable(name: "PROV_API_KEY", reason: "broken"))
        #expect(choice(NamedKey(name: "PK", value: "v")).value == "v")
    }

    @Test func theFirstReferenceWithOptionsCountsAndLevelsDoNotMix() {
        let policy = self.registry.policy(
            PolicySettings(
                purposes: [
                    PurposeSettings(
                        name: "p", model: ModelReference("m5", key: "QK", options: Array(#"{"b":2}"#.utf8)),
                        models: [ModelReference("m5", options: Array(#"{"a":1}"#.utf8))])
                ]), defaultModel: ModelReference("m5", key: "GK", options: Array(#"{"c":3}"#.utf8)))
        let rules = policy.rules(for: "p")
        #expect(rules.options(for: "m5") == Array(#"{"a":1}"#.utf8))
        #expect(rules.keyName(for: "m5") == "QK")
        #expect(policy.rules(for: "other").keyName(for: "m5") == "GK")
        #expect(rules.options(for: "m4") == nil && rules.keyName(for: "m4") == nil)
    }
}
