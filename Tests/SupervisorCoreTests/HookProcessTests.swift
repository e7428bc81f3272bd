import Messages
import Testing

@testable import SupervisorCore

/// A hook's process alone: what it is given, what comes back, and when it is given up.
struct HookProcessTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func process(_ change: (inout SupervisorBounds) -> Void = { _ in }) -> HookProcess {
        var bounds = SupervisorBounds()
        change(&bounds)
        var process = HookProcess(id: HookID(1), settings: .test(), bounds: bounds, at: self.start)
        process.started(at: self.start)
        return process
    }

    private func question(_ number: UInt64, length: Int = 20, at milliseconds: Int = 0) -> HookProcess.Question {
        HookProcess.Question(
            asker: .consultation(RequestNumber(rawValue: number)), event: .beforePrompt,
            body: Array(#"{"event":"\#(String(repeating: "x", count: length - 12))"}"#.utf8),
            askedAt: self.start + .milliseconds(milliseconds))
    }

    private func notice(length: Int = 20) -> HookProcess.Question {
        HookProcess.Question(
            asker: .nobody, event: .afterResponse, body: self.question(0, length: length).body, askedAt: self.start)
    }

    private func asker(_ number: UInt64) -> HookProcess.Asker { .consultation(RequestNumber(rawValue: number)) }

    /// Sends what may be sent; says how many that were.
    private func send(_ process: inout HookProcess, at milliseconds: Int = 0) -> Int {
        var count = 0
        while process.next(at: self.start + .milliseconds(milliseconds)) != nil { count += 1 }
        return count
    }

    @Test func questionsAreNumberedAndAnsweredInAnyOrder() {
        var process = self.process()
        for number in 1...3 { #expect(process.ask(self.question(UInt64(number))) == nil) }
        let frame = process.next(at: self.start)
        #expect(frame.map { String(decoding: $0, as: UTF8.self) } == #"{"id":1,"event":"xxxxxxxx"}"#)
        #expect(self.send(&process) == 2)
        #expect(process.answered(3, at: self.start)?.asker == self.asker(3))
        #expect(process.answered(3, at: self.start) == nil, "no question is answered twice")
        #expect(process.answered(4, at: self.start) == nil)
        #expect(process.answered(1, at: self.start)?.asker == self.asker(1))
        #expect(process.open.count == 1)
    }

    @Test func aProcessHasSoManyQuestionsAndTheRestWaits() {
        var process = self.process { ($0.hookQuestionsOut, $0.hookQuestions) = (4, 3) }
        for number in 1...4 {
            #expect(process.ask(self.question(UInt64(number))) == nil)
            #expect(self.send(&process) == 1)
        }
        for number in 5...7 { #expect(process.ask(self.question(UInt64(number))) == nil) }
        #expect(self.send(&process) == 0)
        #expect(process.ask(self.question(8)) == .tooMany, "what waits is bounded too")
        _ = process.answered(2, at: self.start)
        #expect(self.send(&process) == 1)
        #expect(process.ask(self.question(9)) == nil)
    }

    @Test func whatAProcessHasIsBoundedInBytesUnlessItIsOneQuestion() {
        var process = self.process { $0.hookWindow = 100 }
        _ = process.ask(self.question(1, length: 500))
        _ = process.ask(self.question(2, length: 20))
        #expect(self.send(&process) == 1)
        #expect(process.heldBytes > 500)
        _ = process.answered(1, at: self.start)
        for number in 3...9 { _ = process.ask(self.question(UInt64(number), length: 40)) }
        #expect(self.send(&process) == 2)
        #expect(process.heldBytes <= 100)
    }

    @Test func aQuestionIsLateAfterItsTimeAndTheProcessIsHung() {
        var process = self.process()
        _ = process.ask(self.question(1))
        #expect(self.send(&process) == 1)
        #expect(process.deadline == self.start + .seconds(2))
        #expect(process.expiry(at: self.start + .milliseconds(1999)) == .none)
        #expect(process.expiry(at: self.start + .seconds(2)) == .hung)
        #expect(process.giveUp() == [self.asker(1)])
        #expect(process.isIdle)
        #expect(process.heldBytes == 0)
    }

    @Test func aProcessThatAnswersInOrderIsLateAndNotHung() {
        var process = self.process { $0.hookQuestionsOut = 2 }
        for number in 1...4 { _ = process.ask(self.question(UInt64(number))) }
        #expect(self.send(&process) == 2)
        #expect(process.answered(1, at: self.start + .seconds(1)) != nil)
        #expect(self.send(&process, at: 1000) == 1)
        // Whoever asked has waited long enough, whether the process had the question or not.
        #expect(process.expiry(at: self.start + .seconds(2)) == .late([self.asker(2), self.asker(3), self.asker(4)]))
        #expect(process.deadline == self.start + .seconds(3), "it is hung when it says nothing for that long")
        #expect(process.answered(2, at: self.start + .milliseconds(2500))?.asker == nil, "nobody waits for it any more")
        #expect(process.expiry(at: self.start + .seconds(3)) == .none)
        #expect(process.expiry(at: self.start + .milliseconds(4500)) == .hung)
        #expect(process.failures == 3)
    }

    @Test func aProcessThatAnswersALaterQuestionHasForgottenTheOneBefore() {
        var process = self.process()
        _ = process.ask(self.question(1))
        _ = process.ask(self.question(2))
        #expect(self.send(&process) == 2)
        #expect(process.answered(2, at: self.start + .milliseconds(1900)) != nil)
        #expect(process.expiry(at: self.start + .seconds(2)) == .hung)
    }

    @Test func whoeverHasGoneIsForgottenWhereItWaits() {
        var process = self.process { $0.hookQuestionsOut = 1 }
        for number in 1...3 { _ = process.ask(self.question(UInt64(number))) }
        #expect(self.send(&process) == 1)
        process.forget(self.asker(1))
        process.forget(self.asker(2))
        #expect(process.answered(1, at: self.start)?.asker == nil)
        #expect(self.send(&process) == 1)
        #expect(process.giveUp() == [self.asker(3)])
    }

    @Test func noticesWaitBehindQuestionsAndForTheNextProcess() {
        var process = self.process { $0.hookQuestionsOut = 1 }
        #expect(process.tell(self.notice()) == false)
        #expect(process.tell(self.notice()) == false)
        _ = process.ask(self.question(1))
        #expect(self.send(&process) == 1)
        #expect(process.open.values.first?.asker == self.asker(1))
        #expect(process.giveUp() == [self.asker(1)])
        #expect(process.waitingCount == 2)
        var random = SeededGenerator(seed: 1)
        let isParked = process.died("exit code 1", isHopeless: false, at: self.start, using: &random)
        #expect(!isParked)
        #expect(self.send(&process) == 0)
        #expect(process.ask(self.question(2)) == .notRunning)
        process.started(at: self.start + .seconds(1))
        #expect(self.send(&process, at: 1000) == 1)
        #expect(process.open.values.first?.asker == .nobody)
        #expect(process.giveUp() == [], "what it had been told when it died is lost, and nobody's to be told of")
        #expect(process.failures == 3)
    }

    @Test func noticesBeyondTheirBoundsAreDroppedAndSaidOnce() {
        var process = self.process { ($0.hookNotices, $0.hookNoticeMemory, $0.hookQuestionsOut) = (3, 100, 1) }
        for _ in 0..<3 { #expect(process.tell(self.notice()) == false) }
        #expect(process.tell(self.notice()) == true, "the operator is told")
        #expect(process.tell(self.notice()) == false, "once")
        #expect(process.dropped == 2)
        while process.next(at: self.start) != nil { _ = process.answered(process.open.keys.first!, at: self.start) }
        #expect(process.tell(self.notice(length: 200)) == true, "and again when it had caught up")
        #expect(process.heldBytes == 0)
    }

    @Test func aProcessThatKeepsDyingIsParked() {
        var process = self.process()
        var random = SeededGenerator(seed: 1)
        var parked = 0
        for _ in 0..<5 {
            let isParked = process.died("signal 9, SIGKILL", isHopeless: false, at: self.start, using: &random)
            parked += isParked ? 1 : 0
        }
        #expect(parked == 1)
        #expect(process.state == .parked(until: self.start + .seconds(30)))
        #expect(process.expiry(at: self.start + .seconds(29)) == .none)
        #expect(process.expiry(at: self.start + .seconds(30)) == .due)
        #expect(process.deaths == 5)
    }
}
