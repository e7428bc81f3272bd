import Messages
import Testing

@testable import SupervisorCore

/// Chains: rounds, the tools between them, and every way in which they end.
@Suite struct ChainTests {
    private static let tools = #""tools":[{"name":"a","input_schema":{}},{"name":"b","input_schema":{}}]"#

    /// A client begins a chain, and its first round is on disk.
    private static func begins(_ scenario: inout Scenario, _ members: String = "") -> [String] {
        scenario.connect(1)
        let text = #"{"id":1,"op":"chain","prompt":"hi",\#(Self.tools)\#(members)}"#
        return scenario.client(1, text) + scenario.commit()
    }

    private static func call(_ id: String, _ name: String = "a", _ arguments: String = "{}") -> SlotEvent {
        .toolCall(ToolCall(id: id, name: name, arguments: Array(arguments.utf8)))
    }

    private static func result(_ target: Int, _ id: Int, _ results: String) -> String {
        #"{"id":\#(id),"op":"tool_result","target":\#(target),"tool_results":[\#(results)]}"#
    }

    private static func output(_ id: String, _ output: String = "42") -> String {
        #"{"tool_call_id":"\#(id)","output":"\#(output)"}"#
    }

    /// The slot calls tools and ends its round, whose row is committed.
    private static func calls(_ scenario: inout Scenario, _ calls: SlotEvent...) -> [String] {
        for call in calls { scenario.slot(1, 0, call) }
        return scenario.slot(1, 0, .done(SlotCompletion(finishReason: "tool_calls"))) + scenario.commit()
    }

    private static func isError(_ code: String, _ actions: [String]) -> Bool {
        actions.contains { $0.hasPrefix(#"client 1: {"id":1,"event":"error","error":{"code":"\#(code)""#) }
    }

    /// Whether nothing is held by anybody.
    private static func isClean(_ scenario: Scenario) -> Bool {
        scenario.isClean && scenario.core.footprint.chains == 0
            && scenario.core.connections.values.allSatisfy(\.requests.isEmpty)
    }

    @Test func aChainGoesOnWithTheResultsOfItsToolsUntilNoneIsCalled() {
        var scenario = Scenario.ready()
        #expect(
            Self.begins(&scenario) == [
                #"logger: {"op":"open","sequence":1,"request":"r1","at_ms":1000,"uid":1000,"gid":100,"pid":42,"provider":"echo","model":"echo","stream":true,"chain":"r1"}"#,
                #"slot 1.0: {"op":"prompt","request":"r1","model":"echo","stream":true,"tools":[{"name":"a","input_schema":{}},{"name":"b","input_schema":{}}],"prompt":"hi"}"#,
                #"client 1: {"id":1,"event":"start","request":"r1","model":"echo","provider":"echo","chain":"r1","round":1}"#,
            ])
        scenario.slot(1, 0, .text("Let me see."))
        #expect(
            Self.calls(&scenario, Self.call("t1", "a", #"{"x":1.0}"#), Self.call("t2", "b")) == [
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1000,"state":"done","duration_ms":0,"finish_reason":"tool_calls"}"#,
                #"client 1: {"id":1,"event":"round","pending":["t1","t2"],"finish_reason":"tool_calls","request":"r1","model":"echo","provider":"echo","duration_ms":0,"chain":"r1","round":1}"#,
            ])
        #expect(scenario.core.footprint.requests == 0)
        #expect(
            scenario.client(1, Self.result(1, 2, Self.output("t2", "two"))) == [#"client 1: {"id":2,"event":"done"}"#])
        let begun = scenario.client(1, Self.result(1, 3, Self.output("t1", "one"))) + scenario.commit()
        #expect(begun[0] == #"client 1: {"id":3,"event":"done"}"#)
        #expect(begun[1].hasSuffix(#""stream":true,"chain":"r1"}"#))
        #expect(
            begun[2]
                == #"slot 1.0: {"op":"prompt","request":"r2","model":"echo","stream":true,"messages":["#
                + #"{"role":"user","parts":[{"type":"text","text":"hi"}]},"#
                + #"{"role":"assistant","parts":[{"type":"text","text":"Let me see."},"#
                + #"{"type":"tool_call","name":"a","arguments":{"x":1.0},"tool_call_id":"t1"},"#
                + #"{"type":"tool_call","name":"b","arguments":{},"tool_call_id":"t2"}]}],"#
                + #""tools":[{"name":"a","input_schema":{}},{"name":"b","input_schema":{}}],"#
                + #""tool_results":[{"name":"a","output":"one","tool_call_id":"t1"},{"name":"b","output":"two","tool_call_id":"t2"}]}"#
        )
        #expect(begun[3].hasSuffix(#""request":"r2","model":"echo","provider":"echo","chain":"r1","round":2}"#))
        #expect(
            Self.calls(&scenario).last
                == #"client 1: {"id":1,"event":"done","finish_reason":"tool_calls","request":"r2","model":"echo","provider":"echo","duration_ms":0,"chain":"r1","round":2}"#
        )
        #expect(Self.isClean(scenario))
    }

    @Test func everyRoundHasItsOptionsSchemaAndSystemPrompt() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario, #","system":"S","schema":{"type":"object"},"options":{"n":1.0}"#)
        _ = Self.calls(&scenario, Self.call("t1"))
        let begun = scenario.client(1, Self.result(1, 2, Self.output("t1"))) + scenario.commit()
        for member in [
            #""system":"S""#, #""schema":{"type":"object"}"#, #""options":{"n":1.0}"#, #"{"role":"system","#,
        ] {
            #expect(begun[2].contains(member), "\(member)")
        }
    }

    @Test func aRoundOnRecordFollowsTheOneBeforeIt() {
        var scenario = Scenario.ready(storesPrompts: true)
        _ = Self.begins(&scenario, #","system":"S""#)
        _ = Self.calls(&scenario, Self.call("t1"))
        let begun = scenario.client(1, Self.result(1, 2, Self.output("t1")))
        #expect(
            begun[1].hasSuffix(
                #""stream":true,"chain":"r1","conversation":"r1","follows":"r1","tools":[{"name":"a","input_schema":{}},{"name":"b","input_schema":{}}],"tool_results":[{"name":"a","output":"42","tool_call_id":"t1"}]}"#
            ), "\(begun)")
    }

    @Test(arguments: [ServiceConfiguration.Durability.commit, .relaxed])
    func resultsMayComeBeforeTheirRoundHasEnded(durability: ServiceConfiguration.Durability) {
        var scenario = Scenario.ready(durability: durability)
        _ = Self.begins(&scenario)
        scenario.slot(1, 0, Self.call("t1"))
        #expect(scenario.client(1, Self.result(1, 2, Self.output("t1"))) == [#"client 1: {"id":2,"event":"done"}"#])
        let actions = Self.calls(&scenario) + scenario.commit()
        #expect(actions.contains { $0.contains(#""event":"round","pending":[]"#) })
        #expect(actions.contains { $0.hasPrefix("slot 1.") && $0.contains(#""request":"r2""#) }, "\(actions)")
    }

    @Test func aWholeChainHasItsRoundsWhole() {
        var scenario = Scenario.ready()
        #expect(Self.begins(&scenario, #","stream":false"#).last!.contains(#""event":"start""#))
        let call = ToolCall(id: "t1", name: "a", arguments: Array("{}".utf8))
        scenario.slot(1, 0, .done(SlotCompletion(answer: .init(text: "Hm.", toolCalls: [call]))))
        #expect(
            scenario.commit() == [
                #"client 1: {"id":1,"event":"round","pending":["t1"],"text":"Hm.","tool_calls":[{"tool_call_id":"t1","name":"a","arguments":{}}],"request":"r1","model":"echo","provider":"echo","duration_ms":0,"chain":"r1","round":1}"#
            ])
        let begun = scenario.client(1, Self.result(1, 2, Self.output("t1"))) + scenario.commit()
        #expect(begun[2].contains(#"[{"type":"text","text":"Hm."},{"type":"tool_call""#))
    }

    @Test func theDaemonAnswersCallsThatNobodyCanRun() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        let ended = Self.calls(
            &scenario, Self.call("t1", "nope"), Self.call("t2", "a", #"{"_raw":"{\"x"}"#), Self.call("t3", "b"))
        #expect(
            Array(ended.dropFirst(2)) == [
                #"client 1: {"id":1,"event":"tool_result","name":"nope","output":"Error: tool \"nope\" does not exist","tool_call_id":"t1","exception":"KeyError: 'tool \"nope\" does not exist'"}"#,
                #"client 1: {"id":1,"event":"tool_result","name":"a","output":"Error: the arguments of tool \"a\" are not a JSON object","tool_call_id":"t2","exception":"ValueError: the arguments of tool \"a\" are not a JSON object"}"#,
            ])
        #expect(ended[1].contains(#""pending":["t3"]"#))
        #expect(scenario.client(1, Self.result(1, 2, Self.output("t1")))[0].contains(#""code":"invalid_request""#))
        let begun = scenario.client(1, Self.result(1, 3, Self.output("t3")))
        #expect(begun.count == 2, "\(begun)")
    }

    @Test func aRoundThatCalledOnlyUnknownToolsGoesOnAtOnce() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        let actions = Self.calls(&scenario, Self.call("t1", "nope")) + scenario.commit()
        #expect(actions.last?.contains(#""event":"start","request":"r2""#) == true, "\(actions)")
    }

    @Test func resultsAreTakenAllOrNone() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"), Self.call("t2"))
        let refused = scenario.client(1, Self.result(1, 2, Self.output("t1") + "," + Self.output("t9")))
        #expect(refused[0].contains(#""code":"invalid_request""#) && refused[0].contains("t9"))
        #expect(scenario.client(1, Self.result(1, 3, Self.output("t1")))[0] == #"client 1: {"id":3,"event":"done"}"#)
        #expect(scenario.client(1, Self.result(1, 4, Self.output("t1")))[0].contains(#""code":"invalid_request""#))
        #expect(scenario.client(1, Self.result(7, 5, Self.output("t2")))[0].contains(#""code":"not_found""#))
        #expect(scenario.client(1, Self.result(1, 6, #"{"name":"a","output":"by name"}"#)).count == 2)
    }

    @Test func aChainThatEndsAtItsLimitSucceeds() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario, #","chain_limit":2"#)
        _ = Self.calls(&scenario, Self.call("t1"))
        scenario.client(1, Self.result(1, 2, Self.output("t1")))
        scenario.commit()
        #expect(Self.calls(&scenario).last?.contains(#""event":"done""#) == true)
        #expect(Self.isClean(scenario))
    }

    @Test func callsInTheLastRoundExceedTheLimit() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario, #","chain_limit":1"#)
        let ended = Self.calls(&scenario, Self.call("t1"))
        #expect(ended[0].contains(#""state":"done""#))
        #expect(ended[1].contains(#""code":"chain_limit_exceeded","message":"Chain limit of 1 exceeded."#))
        #expect(!ended[1].contains(#""request":"#))
        #expect(Self.isClean(scenario))
    }

    @Test func aLimitOfZeroIsNone() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario, #","chain_limit":0"#)
        for round in 1...100 {
            #expect(Self.calls(&scenario, Self.call("t\(round)")).last?.contains(#""event":"round""#) == true)
            scenario.client(1, Self.result(1, 1 + round, Self.output("t\(round)")))
            scenario.commit()
        }
        #expect(Self.calls(&scenario).last?.contains(#""round":101}"#) == true)
        #expect(Self.isClean(scenario))
    }

    @Test func noSlotIsHeldWhileToolsRun() {
        var scenario = Scenario.ready(providers: [.echo(slots: 1)])
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"))
        #expect(scenario.promptRuns(1, 2).contains { $0.hasPrefix("slot 1.0:") })
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        #expect(scenario.client(1, Self.result(1, 3, Self.output("t1"))).count == 2)
    }

    @Test func resultsThatDoNotComeEndTheChain() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario, #","tool_timeout_ms":5000"#)
        _ = Self.calls(&scenario, Self.call("t1"))
        #expect(scenario.pass(.milliseconds(4999)) == [])
        let ended = scenario.pass(.milliseconds(1))
        #expect(Self.isError("timeout", ended) && ended[0].contains("t1"))
        #expect(Self.isClean(scenario))
    }

    @Test func timeoutOfTheClientIsAboutTheWholeChain() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario, #","timeout_ms":5000"#)
        _ = Self.calls(&scenario, Self.call("t1"))
        scenario.pass(.milliseconds(3000))
        scenario.client(1, Self.result(1, 2, Self.output("t1")))
        scenario.commit()
        #expect(scenario.pass(.milliseconds(1999)) == [])
        #expect(scenario.pass(.milliseconds(1)).contains { $0.contains(#""op":"cancel""#) })
        scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(scenario.commit().last?.contains("timeout_ms, 5000 ms, has passed") == true)
        #expect(Self.isClean(scenario))
    }

    @Test func aCancelEndsAChainWhateverItWaitsFor() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"))
        let owing = scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        #expect(owing[0] == #"client 1: {"id":9,"event":"done"}"# && Self.isError("cancelled", owing))
        #expect(Self.isClean(scenario))

        scenario.client(1, #"{"id":1,"op":"chain",\#(Self.tools)}"#)
        scenario.commit()
        scenario.slot(1, 0, Self.call("t1"))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#).count == 1)
        let ending = scenario.commit()
        #expect(ending[0].contains(#""event":"round""#) && Self.isError("cancelled", ending), "\(ending)")
        #expect(Self.isClean(scenario))

        scenario.client(1, #"{"id":1,"op":"chain",\#(Self.tools)}"#)
        scenario.commit()
        scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(Self.isError("cancelled", scenario.commit()))
        #expect(Self.isClean(scenario))
    }

    @Test func aClientThatLeavesTakesItsChainWithIt() {
        for moment in 0..<3 {
            var scenario = Scenario.ready()
            _ = Self.begins(&scenario)
            scenario.slot(1, 0, Self.call("t1"))
            if moment > 0 { scenario.slot(1, 0, .done(SlotCompletion())) }
            if moment > 1 { scenario.commit() }
            scenario.post(.clientClosed(ConnectionID(1)))
            if moment == 0 { scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil)) }
            scenario.commit()
            #expect(Self.isClean(scenario), "moment \(moment)")
        }
    }

    @Test func aRoundThatFailsEndsTheChain() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"))
        scenario.client(1, Self.result(1, 2, Self.output("t1")))
        scenario.commit()
        scenario.slot(1, 0, .error(Failure(.providerRejected, "no"), usage: nil))
        let ended = scenario.commit()
        #expect(Self.isError("provider_rejected", ended) && ended[0].contains(#""request":"r2""#))
        #expect(Self.isClean(scenario))
    }

    @Test func aDrainEndsChainsBetweenTheirRounds() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"))
        #expect(Self.isError("shutting_down", scenario.post(.drain)))

        scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        scenario.post(.drain)
        #expect(Self.isError("shutting_down", Self.calls(&scenario, Self.call("t1"))))
        #expect(Self.isClean(scenario))
    }

    // MARK: Resuming

    private static let stopped =
        #""messages":[{"role":"user","parts":[{"type":"text","text":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"a","arguments":{},"tool_call_id":"t1"},{"type":"tool_call","name":"b","arguments":{},"tool_call_id":"t2"}]}"#

    @Test func aChainResumesWithTheCallsThatItsMessagesEndWith() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let messages =
            Self.stopped
            + #",{"role":"tool","parts":[{"type":"tool_result","name":"a","output":"1","tool_call_id":"t1"}]}]"#
        let begun = scenario.client(1, #"{"id":1,"op":"chain",\#(Self.tools),\#(messages)}"#)
        #expect(
            begun == [
                #"client 1: {"id":1,"event":"tool_call","tool_call_id":"t2","name":"b","arguments":{}}"#,
                #"client 1: {"id":1,"event":"round","pending":["t2"]}"#,
            ])
        let round = scenario.client(1, Self.result(1, 2, Self.output("t2"))) + scenario.commit()
        #expect(round[2].contains(#""output":"1","tool_call_id":"t1"}]}],"tools""#))
        #expect(round[2].hasSuffix(#""tool_results":[{"name":"b","output":"42","tool_call_id":"t2"}]}"#))
        #expect(round[3].contains(#""round":1"#))
    }

    @Test func resultsThatAResumedChainBringsAreNotOwed() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let results = #","tool_results":[{"name":"a","output":"1","tool_call_id":"t1"}]"#
        let begun = scenario.client(1, #"{"id":1,"op":"chain",\#(Self.tools),\#(Self.stopped)]\#(results)}"#)
        #expect(begun.last == #"client 1: {"id":1,"event":"round","pending":["t2"]}"#)
        let round = scenario.client(1, Self.result(1, 2, Self.output("t2"))) + scenario.commit()
        #expect(
            round[2].hasSuffix(
                #""tool_results":[{"name":"a","output":"1","tool_call_id":"t1"},{"name":"b","output":"42","tool_call_id":"t2"}]}"#
            ))
    }

    @Test(arguments: [
        #","prompt":"and?""#,
        #","tool_results":[{"name":"a","output":"1","tool_call_id":"t1"},{"name":"b","output":"1","tool_call_id":"t2"}]"#,
    ])
    func nothingIsResumedWhereTheConversationHasMovedOn(members: String) {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let begun = scenario.client(1, #"{"id":1,"op":"chain",\#(Self.tools),\#(Self.stopped)]\#(members)}"#)
        #expect(begun.count == 1 && begun[0].hasPrefix("logger:"), "\(begun)")
    }

    @Test func aChainResumesFromItsConversation() {
        var scenario = Scenario.remembering()
        scenario.client(1, #"{"id":1,"op":"chain","conversation":"c",\#(Self.tools)}"#)
        let history = String(Self.stopped.dropFirst(#""messages":"#.count)) + "]"
        #expect(scenario.remembers(history).last == #"client 1: {"id":1,"event":"round","pending":["t1","t2"]}"#)
        #expect(scenario.core.footprint.conversations == 1)
        // Another prompt of the conversation waits for it.
        #expect(scenario.continues(1, 2) == [])
        let round = scenario.client(1, Self.result(1, 3, Self.output("t1") + "," + Self.output("t2")))
        #expect(round[1].contains(#""conversation":"c","parent":"b2:1""#), "\(round)")
        let dispatched = scenario.commit()
        #expect(dispatched[0].contains(#""messages":\#(history)"#))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.commit().last?.contains(#""op":"history","conversation":"c""#) == true)
    }

    @Test func aConversationBelongsToItsChainUntilThatEnds() {
        var scenario = Scenario.remembering()
        _ = Self.begins(&scenario)
        let conversation = scenario.core.chains.values.first!.conversation!
        _ = Self.calls(&scenario, Self.call("t1"))
        #expect(scenario.continues(1, 2, conversation) == [])
        #expect(scenario.continues(1, 3, conversation) == [])
        let ended = scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        #expect(ended.last?.contains(#""op":"history""#) == true, "\(ended)")
    }

    // MARK: Bounds

    @Test func aChainMayNotGrowBeyondItsBound() {
        var bounds = SupervisorBounds()
        bounds.chain = 4000
        var scenario = Scenario.ready(bounds: bounds)
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"))
        let large = String(repeating: "x", count: 4000)
        #expect(scenario.client(1, Self.result(1, 2, Self.output("t1", large)))[0].contains("answer_too_large"))
        #expect(scenario.client(1, Self.result(1, 3, Self.output("t1"))).count == 2)
        scenario.commit()
        scenario.slot(1, 0, .text(large))
        scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(Self.isError("answer_too_large", scenario.commit()))
        #expect(Self.isClean(scenario))
    }

    @Test func chainsShareTheirMemory() {
        var bounds = SupervisorBounds()
        bounds.chainMemory = 5 * bounds.chainOverhead
        var scenario = Scenario.ready(bounds: bounds)
        _ = Self.begins(&scenario)
        scenario.client(1, #"{"id":2,"op":"chain",\#(Self.tools)}"#)
        #expect(scenario.client(1, #"{"id":3,"op":"chain",\#(Self.tools)}"#)[0].contains(#""code":"overloaded""#))
        #expect(scenario.core.footprint.chains == 2)
        // One user has half of it at most.
        scenario.connect(2, uid: 1001)
        #expect(scenario.client(2, #"{"id":1,"op":"chain",\#(Self.tools)}"#)[0].hasPrefix("logger:"))
    }

    @Test func whatIsSmallAndManyCounts() {
        var scenario = Scenario.ready()
        _ = Self.begins(&scenario)
        _ = Self.calls(&scenario, Self.call("t1"), Self.call("t2"))
        let attachments = Array(repeating: #"{"url":""}"#, count: 130_000).joined(separator: ",")
        let result = #"{"tool_call_id":"t1","output":"","attachments":[\#(attachments)]}"#
        #expect(scenario.client(1, Self.result(1, 2, result))[0].contains("answer_too_large"))
        let type = String(repeating: "t", count: 300)
        let long = #"{"tool_call_id":"t1","output":"","attachments":[{"type":"\#(type)","url":"u"}]}"#
        #expect(scenario.client(1, Self.result(1, 3, long))[0].contains("invalid_request"))
    }

    @Test func aRoundMayNotHaveTooManyCalls() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let calls = (0...OwedCalls.countBound).map {
            #"{"type":"tool_call","name":"a","arguments":{},"tool_call_id":"\#($0)"}"#
        }
        let messages = #""messages":[{"role":"assistant","parts":[\#(calls.joined(separator: ","))]}]"#
        let actions = scenario.client(1, #"{"id":1,"op":"chain",\#(Self.tools),\#(messages)}"#)
        #expect(actions.count == 1 && Self.isError("answer_too_large", actions))
        #expect(Self.isClean(scenario))
    }
}
