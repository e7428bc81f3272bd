import Messages
import Testing

@testable import SupervisorCore

/// What hooks have a say in where nothing is sent to a model: lists of models, and explanations.
struct ConsultedQuestionTests {
    private static let caller = #""caller":{"uid":1000,"gid":100,"pid":42},"actor":"uid:1000""#

    private func ready(_ hooks: [HookSettings], fallbacks: [String: [String]] = [:]) -> Scenario {
        var other = ProviderSettings.echo("other")
        other.models.append(ModelDescription(id: "blocked"))
        var scenario = Scenario.ready(
            providers: [.echo(), other], fallbacks: fallbacks, policy: PolicySettings(blockedModels: ["blocked"]),
            hooks: hooks)
        for (index, hook) in hooks.enumerated() {
            scenario.post(.hookStarted(scenario.hookIDs[hook.name]!, pid: 300 + index))
        }
        scenario.connect(1)
        return scenario
    }

    @Test func aListIsThatOfTheModelsThatEveryHookAllows() {
        var scenario = self.ready([.test("a", [.filterModels]), .test("b", [.filterModels, .beforePrompt])])
        let question = #"{"id":1,"event":"filter_models",\#(Self.caller),"op":"models","models":["echo","other"]}"#
        #expect(
            scenario.client(1, #"{"id":1,"op":"models","all":true}"#) == ["hook a: \(question)", "hook b: \(question)"])
        #expect(scenario.hook("a", #"{"id":1,"models":["other"]}"#) == [])
        let answer = scenario.hook("b", #"{"id":1}"#)
        #expect(answer.count == 1)
        #expect(
            answer[0].contains(
                #""id":"other","aliases":[],"needs_key":false,"provider":"other","default":false,"available":true"#))
        #expect(answer[0].contains("the model 'echo' may not be used: hook 'a' leaves it out"))
        #expect(answer[0].contains("the model 'blocked' may not be used: it is in blocked_models"))
        #expect(scenario.core.footprint.consultations == 0)
        #expect(scenario.client(1, #"{"id":1,"op":"ping"}"#).count == 1, "the id is free again")
    }

    @Test func theDefaultIsTheOneThatAHookNamesAndComesFirst() {
        var scenario = self.ready([.test("a", [.defaultModel])])
        #expect(
            scenario.client(1, #"{"id":1,"op":"models"}"#)
                == [#"hook a: {"id":1,"event":"default_model",\#(Self.caller),"op":"models"}"#])
        let answer = scenario.hook("a", #"{"id":1,"model":"other"}"#)
        #expect(
            answer == [
                #"client 1: {"id":1,"event":"done","models":["#
                    + #"{"id":"other","aliases":[],"needs_key":false,"provider":"other","default":true,"available":true},"#
                    + #"{"id":"echo","aliases":[],"needs_key":false,"provider":"echo","default":false,"available":true}]}"#
            ])
    }

    @Test func anExplanationAsksWhatAPromptWouldAskButNotWhetherItMayGoOn() {
        var scenario = self.ready(
            [.test("a", [.filterModels, .defaultModel, .beforePrompt])], fallbacks: ["other": ["echo"]])
        scenario.client(1, #"{"id":1,"op":"explain"}"#)
        #expect(
            scenario.hook("a", #"{"id":1,"model":"other"}"#)
                == [
                    #"hook a: {"id":2,"event":"filter_models",\#(Self.caller),"op":"explain","models":["other","echo"]}"#
                ])
        #expect(
            scenario.hook("a", #"{"id":2,"models":["other"]}"#) == [
                #"client 1: {"id":1,"event":"done","explanation":{"allowed":true,"actor":"uid:1000","model":"other","provider":"other","needs_key":false,"fallbacks":[]}}"#
            ])
        scenario.client(1, #"{"id":2,"op":"explain","model":"echo"}"#)
        let refused = scenario.hook("a", #"{"id":3,"models":[]}"#)
        #expect(refused.count == 1 && refused[0].contains(#""allowed":false,"refusal":{"code":"not_allowed""#))
        #expect(refused[0].contains("hook 'a' leaves it out"))
        #expect(scenario.core.requests.isEmpty)
    }

    @Test func hooksAreToldWhomAnAdministratorAsksFor() {
        var scenario = self.ready([.test("a", [.filterModels])])
        scenario.connect(2, uid: 0)
        #expect(
            scenario.client(2, #"{"id":1,"op":"models","as":{"uid":5,"gid":6}}"#) == [
                #"hook a: {"id":1,"event":"filter_models","caller":{"uid":5,"gid":6,"pid":0},"actor":"uid:5","op":"models","models":["echo","other"]}"#
            ])
    }

    @Test func whereAHookMustAgreeThereIsNoListWithoutItsAnswer() {
        var scenario = self.ready([.test("a", [.filterModels], closed: true)])
        scenario.client(1, #"{"id":1,"op":"models"}"#)
        let failed = scenario.pass(.seconds(2))
        #expect(failed.contains { $0.hasPrefix("client 1: ") && $0.contains("hook_failed") })
    }
}
