import Foundation
import Messages
import Testing

@testable import SupervisorCore

/// `purposes`, `whoami`, `explain`, and `models` for a purpose.
struct PolicyQuestionTests {
    private static let far = ProviderSettings(
        name: "far", kind: .openAICompatible, slots: 2,
        models: [
            ModelDescription(id: "large", aliases: ["l"], needsKey: true),
            ModelDescription(id: "small", needsKey: true), ModelDescription(id: "dim"),
        ], baseURL: "http://far", retries: 0, keyName: "FAR_KEY")

    private static let policy = PolicySettings(
        blockedModels: ["dim"],
        purposes: [
            PurposeSettings(
                name: "extract", description: "Facts of texts",
                model: ModelReference("l", key: "TEAM", options: Array(#"{"t":0}"#.utf8)), models: ["echo", "far/new"],
                fallbacks: ["echo"]),
            PurposeSettings(name: "sql", models: ["large"]),
        ],
        callers: [
            CallerSettings(
                name: "web", users: [1000], purposes: ["extract"], models: ["echo", "large"], mayNameActor: true,
                maximumConnections: 8, maximumRequests: 32),
            CallerSettings(name: "operators", groups: [78], isAdministrator: true),
        ], keys: [NamedKey(name: "TEAM", value: "team-key", source: "store")])

    private static func ready() -> Scenario {
        var scenario = Scenario.ready(providers: [.echo(), Self.far], policy: Self.policy)
        scenario.connect(1)
        scenario.connect(2, uid: 4000, groups: [78])
        scenario.connect(3, uid: 3000)
        return scenario
    }

    private static func ids(_ lines: [String]) -> [String] {
        lines.joined().components(separatedBy: #"{"id":""#).dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }

    @Test func everybodyLearnsWhoTheyAreAlsoAStranger() {
        var scenario = Self.ready()
        #expect(
            scenario.client(1, #"{"id":1,"op":"whoami"}"#) == [
                #"client 1: {"id":1,"event":"done","whoami":{"caller":"web","allowed":true,"uid":1000,"gid":100,"groups":[],"pid":42,"#
                    + #""administrator":false,"may_name_actor":true,"purposes":["extract"],"models":["echo","large"],"#
                    + #""max_connections":8,"max_requests":32}}"#
            ])
        #expect(
            scenario.client(3, #"{"id":1,"op":"whoami"}"#) == [
                #"client 3: {"id":1,"event":"done","whoami":{"allowed":false,"uid":3000,"gid":100,"groups":[],"pid":42,"#
                    + #""administrator":false,"may_name_actor":false,"purposes":[],"models":[]}}"#
            ])
        for op in ["models", "purposes", "explain", "status"] {
            #expect(scenario.client(3, #"{"id":1,"op":"\#(op)"}"#)[0].contains(#""code":"not_allowed""#))
        }
    }

    @Test func callersSeeTheirPurposesAndAdministratorsAll() {
        var scenario = Self.ready()
        #expect(
            scenario.client(1, #"{"id":1,"op":"purposes"}"#) == [
                #"client 1: {"id":1,"event":"done","purposes":[{"name":"extract","description":"Facts of texts","model":"large","allowed":true}]}"#
            ])
        let all = scenario.client(2, #"{"id":1,"op":"purposes"}"#)[0]
        #expect(all.contains(#"{"name":"sql","model":"echo","allowed":true}"#) && all.contains(#""name":"extract""#))
    }

    @Test func aListIsOfAPurposeInItsOrderWithItsDefaultFirst() {
        var scenario = Self.ready()
        let listed = scenario.client(2, #"{"id":1,"op":"models","purpose":"extract"}"#)
        #expect(Self.ids(listed) == ["large", "echo"])
        #expect(listed[0].contains(#""id":"large","aliases":["l"],"needs_key":true,"provider":"far","default":true"#))
    }

    @Test func whatIsNotAvailableIsListedWithItsReasonWhereAllIsAskedFor() {
        var scenario = Self.ready()
        let listed = scenario.client(1, #"{"id":1,"op":"models","purpose":"extract","all":true}"#)
        #expect(Self.ids(listed) == ["large", "echo", "far/new", "small", "dim"])
        for reason in [
            "'far/new' may not be used: it is not in models of the caller 'web'",
            "'small' may not be used: it is not in models of the purpose 'extract'",
            "'dim' may not be used: it is in blocked_models",
        ] { #expect(listed[0].contains(reason)) }
        let own = scenario.client(2, #"{"id":1,"op":"models","purpose":"extract","all":true}"#)[0]
        #expect(own.contains("the model 'far/new' needs a key and there is none: set FAR_KEY"))
        #expect(scenario.client(1, #"{"id":1,"op":"models"}"#)[0].contains("may not ask without a purpose"))
    }

    @Test func anAdministratorSeesTheListOfAnotherUserAndNobodyElseDoes() {
        var scenario = Self.ready()
        let own = scenario.client(1, #"{"id":1,"op":"models","purpose":"extract"}"#)[0].dropFirst("client 1".count)
        #expect(
            scenario.client(2, #"{"id":1,"op":"models","purpose":"extract","as":{"uid":1000}}"#)[0]
                .dropFirst("client 2".count) == own)
        #expect(
            scenario.client(2, #"{"id":1,"op":"models","as":{"uid":3000}}"#)[0]
                .contains("the user 3000 is no caller of this daemon"))
        for op in ["models", "explain"] {
            let refused = scenario.client(1, #"{"id":1,"op":"\#(op)","purpose":"extract","as":{"uid":1000}}"#)
            #expect(refused.count == 1 && refused[0].contains("not_allowed") && refused[0].contains("leave out 'as'"))
        }
    }

    @Test func aProviderThatIsParkedIsTheReason() {
        var scenario = Self.ready()
        scenario.post(.workerExited(WorkerID(1), .exited(code: 78)))
        #expect(Self.ids(scenario.client(1, #"{"id":1,"op":"models","purpose":"extract"}"#)) == ["large"])
        let all = scenario.client(1, #"{"id":1,"op":"models","purpose":"extract","all":true}"#)[0]
        #expect(
            all.contains(
                #""provider":"echo","default":false,"available":false,"reason":"the workers of provider 'echo'"#))
    }

    @Test func aRequestIsExplainedWithoutBeingSent() {
        var scenario = Self.ready()
        let sequence = scenario.core.log.lastSequence
        #expect(
            scenario.client(1, #"{"id":1,"op":"explain","purpose":"extract","actor":"ada"}"#) == [
                #"client 1: {"id":1,"event":"done","explanation":{"allowed":true,"caller":"web","actor":"ada","purpose":"extract","#
                    + #""configured":true,"model":"large","provider":"far","needs_key":true,"key_name":"TEAM","key_source":"store","#
                    + #""options":{"t":0},"fallbacks":["echo"],"max_connections":8,"max_requests":32}}"#
            ])
        #expect(scenario.core.requests.isEmpty && scenario.core.log.lastSequence == sequence)
        let other = scenario.client(2, #"{"id":1,"op":"explain","purpose":"sql","model":"small"}"#)[0]
        #expect(other.contains(#""allowed":false,"refusal":{"code":"not_allowed","#))
        #expect(
            other.contains(#""actor":"uid:4000","purpose":"sql","configured":true,"model":"small","provider":"far""#))
        #expect(!other.contains("key_name"))
    }

    @Test func anEmbeddingIsExplainedAsOne() {
        var scenario = Self.ready()
        let line = scenario.client(2, #"{"id":1,"op":"explain","operation":"embed"}"#)[0]
        #expect(line.contains(#""code":"unknown_model""#) && line.contains("default_embedding_model"))
    }
}
