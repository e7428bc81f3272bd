import JSON
import Messages
import Testing

@testable import SupervisorCore

/// What is listed and what is explained is what a prompt meets, whatever is configured.
struct ListingAndPromptTests {
    /// A configuration, drawn.
    private struct Drawn {
        var random: SeededGenerator
        static let names = ["free", "f", "open", "large", "l", "small", "lost", "odd", "far/other", "nobody"]
        static let purposes = [nil, "one", "two", "closed", "unheard-of"]
        static let users = [(uid: 1000, group: 1), (uid: 1001, group: 77), (uid: 1002, group: 1), (uid: 0, group: 0)]

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self.random) < percent }

        mutating func some(_ names: [String] = Self.names, _ percent: Int = 35) -> [String] {
            var chosen: [String] = []
            for name in names.shuffled(using: &self.random) where self.chance(percent) { chosen.append(name) }
            return chosen
        }

        mutating func maybe(_ percent: Int, _ names: [String] = Self.names, _ density: Int = 50) -> [String]? {
            self.chance(percent) ? self.some(names, density) : nil
        }

        mutating func reference() -> ModelReference {
            ModelReference(
                Self.names.randomElement(using: &self.random)!,
                key: self.chance(40) ? ["TEAM", "BROKEN", "UNSET"].randomElement(using: &self.random) : nil,
                options: self.chance(20) ? Array(#"{"n":1}"#.utf8) : nil)
        }

        mutating func purpose(_ name: String, hasFallbacks: Bool) -> PurposeSettings {
            var models: [ModelReference]?
            if self.chance(50) {
                models = (0..<Int.random(in: 0...4, using: &self.random)).map { _ in self.reference() }
            }
            return PurposeSettings(
                name: name, model: self.chance(60) ? self.reference() : nil, models: models,
                blockedModels: self.chance(30) ? self.some() : [], fallbacks: hasFallbacks ? self.maybe(60) : nil)
        }

        mutating func caller(_ name: String, users: [Int] = [], groups: [Int] = [], isDefault: Bool = false)
            -> CallerSettings
        {
            CallerSettings(
                name: name, users: users, groups: groups, isDefault: isDefault,
                purposes: self.maybe(50, ["one", "two", "closed"]), models: self.maybe(40, Self.names, 70),
                isAdministrator: self.chance(10))
        }

        mutating func policy(hasFallbacks: Bool) -> PolicySettings {
            var callers: [CallerSettings] = []
            if self.chance(70) {
                callers = [self.caller("a", users: [1000]), self.caller("b", groups: [77])]
                if self.chance(50) { callers.append(self.caller("c", isDefault: true)) }
            }
            return PolicySettings(
                models: self.maybe(40, Self.names, 60), blockedModels: self.chance(30) ? self.some() : [],
                requiresKeys: self.chance(80),
                purposes: ["one", "two"].map { self.purpose($0, hasFallbacks: hasFallbacks) }
                    + [PurposeSettings(name: "closed", models: [])],
                callers: callers,
                keys: [
                    NamedKey(name: "TEAM", value: "team-key", source: "store"),
                    NamedKey(name: "BROKEN", problem: "no master key has the id 00ff"), NamedKey(name: "UNSET"),
                ])
        }
    }

    private static func far(_ name: String, _ models: [ModelDescription], key: String?, problem: String? = nil)
        -> ProviderSettings
    {
        ProviderSettings(
            name: name, kind: .openAICompatible, models: models, baseURL: "http://\(name)", retries: 0, key: key,
            keyName: "\(name.uppercased())_KEY", keySource: key == nil ? nil : "environment", keyProblem: problem)
    }

    private static let providers = [
        ProviderSettings(
            name: "near", kind: .echo,
            models: [ModelDescription(id: "free", aliases: ["f"]), ModelDescription(id: "open")], retries: 0),
        far(
            "far",
            [
                ModelDescription(id: "large", aliases: ["l"], needsKey: true),
                ModelDescription(id: "small", needsKey: true),
            ],
            key: "far-key"),
        far("bare", [ModelDescription(id: "lost", needsKey: true)], key: nil),
        far("broken", [ModelDescription(id: "odd", needsKey: true)], key: nil, problem: "it is not UTF-8"),
    ]

    /// The one answer to a question that is answered at once.
    private static func answer(_ scenario: inout Scenario, _ frame: JSONValue) throws -> JSONValue {
        let lines = scenario.client(1, frame.text())
        let line = try #require(lines.first { $0.hasPrefix("client 1: ") }, "\(frame.text()): \(lines)")
        return try JSONValue(parsing: String(line.dropFirst("client 1: ".count)))
    }

    private static func request(_ op: String, _ purpose: String?, _ members: [JSONValue.Member] = []) -> JSONValue {
        .object(
            [.init("id", .integer(1)), .init("op", .string(op))]
                + (purpose.map { [.init("purpose", .string($0))] } ?? []) + members)
    }

    @Test(arguments: 0..<48)
    func aModelIsListedWhereAPromptForItIsLetIn(_ seed: UInt64) throws {
        var drawn = Drawn(random: SeededGenerator(seed: seed))
        let hasFallbacks = seed % 3 == 2
        let policy = drawn.policy(hasFallbacks: hasFallbacks)
        let fallbacks: [String: [String]] = hasFallbacks ? ["lost": ["open", "large"], "odd": ["small"]] : [:]
        let usual = drawn.reference()
        for user in Drawn.users {
            for purpose in Drawn.purposes {
                var scenario = Scenario.ready(
                    providers: Self.providers, fallbacks: fallbacks, policy: policy, defaultModel: usual)
                scenario.connect(1, uid: user.uid, groups: [user.group])
                let all = JSONValue.Member("all", .bool(true))
                let listing = try Self.answer(&scenario, Self.request("models", purpose, [all]))
                let models = listing["models"]?.array ?? []
                let short = try Self.answer(&scenario, Self.request("models", purpose))
                #expect(
                    short["models"]?.array?.count
                        == listing["models"].map { _ in models.filter { $0["available"] == .bool(true) }.count })
                for name in [nil] + Drawn.names {
                    let outcome = try Self.outcome(of: name, purpose, user, in: scenario)
                    guard listing["models"] != nil else {
                        #expect(outcome == listing["error"], "who may see no list may ask nothing")
                        continue
                    }
                    let entry = models.first { model in
                        name.map { model["id"]?.string == $0 || model["aliases"]!.array!.contains(.string($0)) }
                            ?? (model["default"] == .bool(true))
                    }
                    guard let entry else { continue }
                    let context: Comment = "\(seed) \(user) \(purpose ?? "-") \(name ?? "-") \(entry.text())"
                    let code = outcome?["code"]?.string
                    if entry["available"] == .bool(true) {
                        #expect(code == nil || (code == "no_key" && !policy.requiresKeys), context)
                    } else if !hasFallbacks {
                        #expect(code == "not_allowed" || code == "no_key", context)
                        #expect(entry["reason"] == outcome?["message"], context)
                    }
                }
            }
        }
    }

    /// What becomes of a prompt: `nil`, or its error. It is what was explained before.
    private static func outcome(
        of model: String?, _ purpose: String?, _ user: (uid: Int, group: Int), in scenario: Scenario
    ) throws -> JSONValue? {
        var scenario = scenario
        let members = model.map { [JSONValue.Member("model", .string($0))] } ?? []
        let explained = try Self.answer(&scenario, Self.request("explain", purpose, members))
        scenario.connect(2, uid: 0)
        let identity: JSONValue = .object([
            .init("uid", .integer(user.uid)), .init("gid", .integer(100)),
            .init("groups", .array([.integer(user.group)])),
        ])
        let foreseen = scenario.client(2, Self.request("explain", purpose, members + [.init("as", identity)]).text())
        let lines = scenario.client(1, Self.request("prompt", purpose, members).text())
        let error = try lines.first { $0.hasPrefix("client 1: ") }.map {
            try JSONValue(parsing: String($0.dropFirst("client 1: ".count)))
        }?["error"]
        guard let explanation = explained["explanation"] else {
            #expect(explained["error"] == error, "who is unknown is refused everything")
            return error
        }
        #expect(foreseen.first?.dropFirst("client 2: ".count) == explained.text()[...])
        #expect(explanation["allowed"] == .bool(error == nil))
        #expect(explanation["refusal"] == error)
        if error == nil {
            let opening = try #require(lines.first { $0.hasPrefix("logger: ") })
            let asked = explanation["passed_over"]?[0]?["model"] ?? explanation["model"]
            #expect(opening.contains(#""model":\#(asked!.text())"#))
        }
        return error
    }
}
