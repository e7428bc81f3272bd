import Messages
import Testing

@testable import SupervisorCore

/// `op: secrets`, the process that does it, and when keys were last used.
@Suite struct SecretsTests {
    private static func ready(bounds: SupervisorBounds = SupervisorBounds()) -> Scenario {
        var scenario = Scenario.ready(bounds: bounds)
        scenario.connect(1, uid: 0)
        return scenario
    }

    private static let keyed = ProviderSettings(
        name: "echo", kind: .echo, slots: 2, models: [ModelDescription(id: "echo", needsKey: true)], retries: 0,
        key: "planted", keyName: "K")

    private static func done(_ answer: SecretsAnswer = SecretsAnswer()) -> Event {
        .secretsAnswered(SecretsReply.done(answer).encoded)
    }

    @Test func anActionGoesToAProcessOfItsOwnAndItsAnswerBack() {
        var scenario = Self.ready()
        #expect(
            scenario.client(1, #"{"id":1,"op":"secrets","action":"set","name":"K","value":"planted"}"#)
                == [#"secrets: {"action":"set","name":"K","value":"planted"}"#])
        // It is answered when the configuration has been read anew.
        let told = scenario.post(Self.done(SecretsAnswer(changed: ["K"])))
        #expect(told.first == "read configuration" && !told.contains { $0.hasPrefix("client") })
        #expect(scenario.post(.secretsEnded(reason: "exit code 0")) == [])
        let configuration = scenario.core.configuration
        let answered = scenario.post(.configurationRead(.configuration(configuration)))
        #expect(answered.contains(#"client 1: {"id":1,"event":"done","changed":["K"]}"#))
        #expect(scenario.core.secrets.isIdle)
        #expect(!scenario.entries.contains { "\($0)".contains("planted") })
    }

    @Test func aChangeThatCannotTakeEffectSaysSo() {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"secrets","action":"rm","name":"K"}"#)
        scenario.post(Self.done(SecretsAnswer(changed: ["K"])))
        let told = scenario.post(.configurationNotRead(reason: "signal 11"))
        let answer = told.first { $0.hasPrefix("client 1") } ?? ""
        #expect(
            answer.contains(#""changed":["K"]"#) && answer.contains("not in effect") && answer.contains("signal 11"))
    }

    @Test func aListOrARotationReadsNothingAnew() {
        var scenario = Self.ready()
        for (number, action) in ["list", "rotate"].enumerated() {
            scenario.client(1, #"{"id":\#(number),"op":"secrets","action":"\#(action)"}"#)
            let told = scenario.post(Self.done(SecretsAnswer(changed: action == "rotate" ? ["K"] : [])))
            #expect(told.count == 1 && told[0].hasPrefix("client 1"))
            scenario.post(.secretsEnded(reason: "exit code 0"))
        }
    }

    @Test func nobodyButAnAdministratorMay() {
        var scenario = Self.ready()
        scenario.connect(2, uid: 1000)
        let told = scenario.client(2, #"{"id":1,"op":"secrets","action":"list"}"#)
        #expect(told.count == 1 && told[0].contains("not_allowed"))
        #expect(scenario.core.secrets.isIdle)
    }

    @Test func oneThingIsDoneAtATimeInTheOrderOfArrival() {
        var bounds = SupervisorBounds()
        bounds.secretsErrands = 2
        var scenario = Self.ready(bounds: bounds)
        #expect(scenario.client(1, #"{"id":1,"op":"secrets","action":"rotate"}"#) == [#"secrets: {"action":"rotate"}"#])
        #expect(scenario.client(1, #"{"id":2,"op":"secrets","action":"list"}"#) == [])
        #expect(scenario.client(1, #"{"id":3,"op":"secrets","action":"rm","name":"K"}"#) == [])
        let refused = scenario.client(1, #"{"id":4,"op":"secrets","action":"list"}"#)
        #expect(refused.count == 1 && refused[0].contains("too_many_requests"))
        #expect(scenario.post(Self.done()) == [#"client 1: {"id":1,"event":"done","changed":[]}"#])
        #expect(scenario.post(.secretsEnded(reason: "exit code 0")) == [#"secrets: {"action":"list"}"#])
        #expect(scenario.client(1, #"{"id":5,"op":"cancel","target":3}"#).count == 2)
        scenario.post(Self.done())
        #expect(scenario.post(.secretsEnded(reason: "exit code 0")) == [])
    }

    @Test func aProcessThatDiesIsAnErrorAndTheNextActionHasAnother() {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"secrets","action":"rotate"}"#)
        scenario.client(1, #"{"id":2,"op":"secrets","action":"list"}"#)
        let told = scenario.post(.secretsEnded(reason: "signal 11, SIGSEGV"))
        #expect(told.count == 2)
        #expect(told[0].contains("secrets_unavailable") && told[0].contains("SIGSEGV"))
        #expect(told[1] == #"secrets: {"action":"list"}"#)
    }

    @Test func aProcessThatHangsIsKilled() {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"secrets","action":"rotate"}"#)
        let told = scenario.pass(.seconds(10))
        #expect(told.contains("kill secrets"))
        #expect(told.contains { $0.contains("secrets_unavailable") && $0.contains("longer than") })
        #expect(scenario.client(1, #"{"id":2,"op":"secrets","action":"list"}"#) == [])
        #expect(scenario.post(.secretsEnded(reason: "signal 9")) == [#"secrets: {"action":"list"}"#])
        // One that has answered and does not go is killed too.
        scenario.post(Self.done())
        #expect(scenario.pass(.seconds(2)).contains("kill secrets"))
    }

    @Test(arguments: [#"{"done":1}"#, "nonsense", #"{"error":{"code":"no_such","message":"m","retryable":false}}"#])
    func aProcessThatAnswersNonsenseIsKilled(_ answer: String) {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"secrets","action":"list"}"#)
        let told = scenario.post(.secretsAnswered(Array(answer.utf8)))
        #expect(told.contains("kill secrets"))
        #expect(told.contains { $0.contains("secrets_unavailable") })
    }

    @Test func whatWasBegunIsDoneThoughItsClientHasGone() {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"secrets","action":"rotate"}"#)
        scenario.client(1, #"{"id":2,"op":"secrets","action":"list"}"#)
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.post(Self.done(SecretsAnswer(changed: ["K"]))) == [])
        #expect(scenario.post(.secretsEnded(reason: "exit code 0")) == [])
        #expect(scenario.core.secrets.isIdle)
    }

    @Test func aDrainWaitsForWhatWasBegunAndRefusesTheRest() {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"secrets","action":"rotate"}"#)
        scenario.client(1, #"{"id":2,"op":"secrets","action":"list"}"#)
        let told = scenario.post(.drain)
        #expect(told.contains { $0.contains(#""id":2"#) && $0.contains("shutting_down") })
        #expect(!told.contains { $0.contains("close worker") })
        #expect(scenario.post(Self.done()).contains { $0.contains(#""id":1,"event":"done""#) })
        #expect(scenario.post(.secretsEnded(reason: "exit code 0")).contains("close worker 1"))
    }

    @Test func theListSaysWhenASecretWasLastUsed() {
        var scenario = Scenario.ready(providers: [Self.keyed])
        scenario.connect(1, uid: 0)
        scenario.promptRuns(1, 1)
        scenario.client(1, #"{"id":2,"op":"secrets","action":"list"}"#)
        let secrets = ["J", "K"].map {
            DescribedSecret(name: $0, keyID: "i", createdAtMilliseconds: 1, updatedAtMilliseconds: 1)
        }
        let told = scenario.post(Self.done(SecretsAnswer(secrets: secrets)))
        #expect(
            told[0].contains(#""name":"K","key_id":"i","created_at_ms":1,"updated_at_ms":1,"last_used_at_ms":1000"#))
        #expect(!told[0].contains("planted"))
    }

    @Test func usesAreWrittenDownRarelyAndAtTheEnd() {
        var scenario = Scenario.ready(providers: [Self.keyed])
        scenario.connect(1)
        #expect(!scenario.promptRuns(1, 1).contains { $0.hasPrefix("save key use") })
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        #expect(scenario.pass(.seconds(599)).isEmpty)
        #expect(scenario.pass(.seconds(1)) == [#"save key use: {"keys":{"K":1000}}"#])
        #expect(scenario.pass(.seconds(1200)).isEmpty)
        scenario.promptRuns(1, 2)
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        scenario.post(.drain)
        #expect(
            scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
                .contains(#"save key use: {"keys":{"K":1801000}}"#))
    }
}
