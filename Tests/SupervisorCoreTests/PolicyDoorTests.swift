import Messages
import Testing

@testable import SupervisorCore

/// What the configuration says about purposes, callers and keys, at the door.
struct PolicyDoorTests {
    private static let locked = ProviderSettings(
        name: "far", kind: .echo, slots: 2,
        models: [
            ModelDescription(id: "large", aliases: ["l"], needsKey: true),
            ModelDescription(id: "small", needsKey: true),
        ], retries: 0, key: "far-key", keyName: "FAR_KEY")

    private static let policy = PolicySettings(
        models: ["echo", "large"], blockedModels: [],
        purposes: [
            PurposeSettings(
                name: "extract", model: ModelReference("l", key: "TEAM", options: Array(#"{"t":0,"n":1}"#.utf8)),
                models: ["echo"], fallbacks: ["echo", "small"]),
            PurposeSettings(name: "closed", models: []),
        ],
        callers: [
            CallerSettings(name: "web", users: [1000], purposes: ["extract"], mayNameActor: true),
            CallerSettings(name: "tiny", groups: [77], models: ["echo"]),
            CallerSettings(name: "operators", groups: [78], isAdministrator: true),
        ], keys: [NamedKey(name: "TEAM", value: "team-key", source: "store")])

    private static func ready(_ policy: PolicySettings = Self.policy) -> Scenario {
        Scenario.ready(providers: [.echo(), Self.locked], policy: policy)
    }

    private static func error(_ scenario: inout Scenario, _ client: UInt64, _ frame: String) -> String? {
        let answer = scenario.client(client, frame)
        #expect(answer.count == 1)
        return answer.first.flatMap { $0.contains(#""event":"error""#) ? $0 : nil }
    }

    @Test func aPurposeBringsItsModelItsKeyAndItsOptions() {
        var scenario = Self.ready()
        scenario.connect(1)
        let actions = scenario.promptRuns(
            1, 1, #","purpose":"extract","actor":"ada","options":{"n":2}"#)
        #expect(
            actions[0].contains(
                #""provider":"far","model":"large","stream":true,"purpose":"extract","actor":"ada","caller":"web","key_name":"TEAM""#
            ))
        #expect(
            actions.contains { $0.hasPrefix("slot 2.0:") && $0.contains(#""options":{"n":2,"t":0},"key":"team-key""#) })
    }

    @Test func listsBindPromptsAndSayWhichTheyAre() {
        var scenario = Self.ready()
        scenario.connect(1)
        let refused = Self.error(&scenario, 1, #"{"id":1,"op":"prompt","model":"small","purpose":"extract"}"#)
        #expect(refused?.contains(#""code":"not_allowed""#) == true)
        #expect(refused?.contains("it is not in models of the purpose 'extract' and models") == true)
        #expect(scenario.core.requests.isEmpty)
    }

    @Test func listsBindEmbeddingsAndChainsToo() {
        var scenario = Self.ready()
        scenario.connect(1, uid: 0)
        for op in [#""op":"chain","prompt":"a""#, #""op":"embed","input":"a""#, #""op":"prompt""#] {
            let refused = Self.error(&scenario, 1, #"{"id":1,"model":"echo","purpose":"closed",\#(op)}"#)
            #expect(refused?.contains("models of the purpose 'closed', which allow nothing") == true)
        }
    }

    @Test func aCallerIsHeldToItsPurposesItsModelsAndItself() {
        var scenario = Self.ready()
        scenario.connect(1)
        scenario.connect(2, uid: 2000, groups: [77])
        scenario.connect(3, uid: 3000)
        #expect(Self.error(&scenario, 1, #"{"id":1,"op":"prompt"}"#)?.contains("may not ask without a purpose") == true)
        #expect(
            Self.error(&scenario, 1, #"{"id":1,"op":"prompt","purpose":"sql"}"#)?
                .contains("the caller 'web' may not use the purpose 'sql'; its purposes: extract") == true)
        #expect(
            Self.error(&scenario, 2, #"{"id":1,"op":"prompt","model":"large"}"#)?
                .contains("it is not in models of the caller 'tiny'") == true)
        #expect(
            Self.error(&scenario, 2, #"{"id":1,"op":"prompt","actor":"ada"}"#)?
                .contains("may not name an actor: it is its own, uid:2000") == true)
        #expect(
            Self.error(&scenario, 3, #"{"id":1,"op":"status"}"#)?
                .contains("the user 3000 is no caller of this daemon") == true)
        #expect(scenario.client(3, #"{"id":2,"op":"ping"}"#) == [#"client 3: {"id":2,"event":"done"}"#])
        #expect(scenario.core.requests.isEmpty)
    }

    @Test func anAdministratorOfTheConfigurationIsOne() {
        var scenario = Self.ready()
        scenario.connect(1, uid: 4000, groups: [78])
        scenario.connect(2)
        #expect(scenario.core.isAdministrator(ConnectionID(1)) && !scenario.core.isAdministrator(ConnectionID(2)))
        #expect(scenario.core.visibleUID(of: ConnectionID(1)) == nil)
        #expect(scenario.core.visibleUID(of: ConnectionID(2)) == 1000)
    }

    @Test func aFallbackOfAPurposeIsAskedWithItsOwnKeyAndOptionsAndOnlyIfItMayBe() {
        var scenario = Self.ready()
        scenario.connect(1)
        scenario.promptRuns(1, 1, #","purpose":"extract","options":{"n":2}"#)
        let failure = SlotEvent.error(Failure(.providerUnreachable, "no route"), usage: nil)
        let actions = scenario.slot(2, 0, failure)
        let frame = actions.first { $0.hasPrefix("slot 1.0:") }
        #expect(frame?.contains(#""model":"echo""#) == true)
        #expect(frame?.contains(#""options":{"n":2}"#) == true && frame?.contains("key") == false)
        // `small` is in no list, and nobody else is left.
        #expect(scenario.slot(1, 0, failure).contains { $0.contains(#""op":"end""#) })
    }

    @Test func aKeyThatCannotBeUsedIsSaidAndNoOtherIsTaken() {
        var policy = Self.policy
        policy.purposes[0].fallbacks = nil
        policy.keys = [NamedKey(name: "TEAM", problem: "no master key has the id 00ff")]
        var scenario = Self.ready(policy)
        scenario.connect(1)
        let refused = Self.error(&scenario, 1, #"{"id":1,"op":"prompt","model":"large","purpose":"extract"}"#)
        #expect(refused?.contains(#""code":"no_key""#) == true)
        #expect(
            scenario.client(1, #"{"id":2,"op":"embed","input":"a","model":"large","purpose":"extract"}"#)
                == [
                    #"client 1: {"id":2,"event":"error","error":{"code":"no_key","message":"the key TEAM of the model 'large' cannot be used: no master key has the id 00ff","retryable":false}}"#
                ])
    }
}
