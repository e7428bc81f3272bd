import JSON
import Messages
import SupervisorCore

/// A hook as the world sees it.
struct HookInWorld {
    struct Question {
        let question: HookQuestion
        let sentAt: Instant
    }

    let settings: HookSettings
    var isAlive = false
    var isKilled = false
    var isClosed = false
    /// It does nothing any more.
    var isStopped = false
    var questions: [Int: Question] = [:]
    var lastNumber = 0
    var answeredAt: Instant?
    var lastAnswered = 0
    /// It has done in the event in hand what it must be killed for.
    var hasLied = false

    var isHeard: Bool { self.isAlive && !self.isKilled }
    var timeout: Duration { .milliseconds(self.settings.timeoutMilliseconds) }
}

// What is done to hooks, and what they do.
extension HookSimulation {
    mutating func hookIsStarted(_ id: HookID, _ name: String) {
        if self.hooks[id]?.isAlive ?? false { self.fail("hook \(name) was started twice") }
        if self.hooks[id]?.isClosed ?? false { self.fail("hook \(name) was started again after its end") }
        let settings = self.configuration.hooks.first { $0.name == name }!
        self.hooks[id] = HookInWorld(settings: settings, isAlive: true)
        if self.chance(4) {
            self.mark("hook failed to start")
            self.hooks[id]!.isAlive = false
            self.follow(.hookFailedToStart(id, reason: "no memory"))
        } else {
            self.follow(.hookStarted(id, pid: 7))
        }
    }

    mutating func hookReceives(_ id: HookID, _ payload: [UInt8]) {
        guard let hook = self.hooks[id] else { return self.fail("a question for a hook that was never started") }
        // One that could not be started is not known to be gone before that is told.
        guard hook.isAlive else { return }
        if hook.isKilled || hook.isClosed { self.fail("a hook that is gone was asked") }
        guard let (number, question) = try? HookQuestion.decode(payload) else {
            return self.fail("a hook cannot read its question: \(String(decoding: payload, as: UTF8.self))")
        }
        if number <= hook.lastNumber { self.fail("question \(number) has a number that was taken") }
        if !hook.settings.events.contains(question.event) { self.fail("a hook was asked what it is not for") }
        self.hooks[id]!.lastNumber = number
        self.hooks[id]!.questions[number] = .init(question: question, sentAt: self.now)
        if self.hooks[id]!.questions.count > self.bounds.hookQuestionsOut { self.fail("a hook has too many questions") }
        if self.hooks[id]!.questions.count == self.bounds.hookQuestionsOut { self.mark("hook has all it may have") }
        if case .afterResponse(_, _, _, let end) = question.content { return self.isTold(id, end) }
        self.isAsked(id, question)
    }

    private mutating func isTold(_ id: HookID, _ end: HookQuestion.End) {
        guard let request = self.onRecord[end.request] else {
            return self.fail("a hook is told of what is not on record")
        }
        if !request.hasEnded { self.fail("a hook is told of an end that is not on record") }
        if !self.told[id, default: []].insert(end.request).inserted {
            self.fail("a hook is told twice of \(end.request)")
        }
        self.mark("told: \(end.state.rawValue)")
    }

    private mutating func isAsked(_ id: HookID, _ question: HookQuestion) {
        guard let name = question.subject.actor, let wish = self.wishes[name] else {
            return self.fail("a hook is asked about nobody's request")
        }
        if wish.isAdmitted { self.fail("a hook is asked about \(name), which is admitted") }
        if wish.wasCancelled { self.fail("a hook is asked about \(name), which was cancelled") }
        if wish.asked[id]?.contains(question.event) ?? false { self.fail("a hook is asked twice about \(name)") }
        if question.event == .defaultModel, wish.model != nil {
            self.fail("\(name) has a model, and hooks are asked for one")
        }
        self.wishes[name]!.asked[id, default: []].append(question.event)
    }

    mutating func hookIsClosed(_ id: HookID) {
        guard let hook = self.hooks[id], hook.isAlive else { return self.fail("a hook was closed that is gone") }
        if !self.isDraining { self.fail("a hook was closed that is to stay") }
        if !hook.questions.isEmpty { self.fail("a hook was closed that has a question") }
        self.hooks[id]!.isClosed = true
    }

    mutating func hookIsKilled(_ id: HookID) {
        guard let hook = self.hooks[id] else { return self.fail("a hook was killed that never was") }
        let isHung = hook.questions.contains { number, question in
            let isNext = number > hook.lastAnswered
            let since = isNext ? max(question.sentAt, hook.answeredAt ?? question.sentAt) : question.sentAt
            return since + hook.timeout <= self.now
        }
        if !hook.hasLied, !isHung, !self.isDraining { self.fail("hook \(hook.settings.name) was killed for nothing") }
        if hook.hasLied { self.mark("hook killed for a lie") } else if isHung { self.mark("hook killed since it hung") }
        self.hooks[id]!.hasLied = false
        self.hooks[id]!.isKilled = true
        self.hooks[id]!.questions = [:]
    }

    // MARK: What hooks do

    mutating func hookActs() {
        let alive = self.hooks.filter(\.value.isAlive).keys.sorted { $0.rawValue < $1.rawValue }
        guard let id = alive.randomElement(using: &self.random), let hook = self.hooks[id] else { return }
        if hook.isKilled { return self.hookExits(id, .signalled(9)) }
        if hook.isStopped { return }
        switch Int.random(in: 0..<200, using: &self.random) {
        case 0..<2:
            self.mark(hook.questions.isEmpty ? "idle hook died" : "hook died with questions")
            self.hookExits(id, .signalled(11))
        case 2..<3: self.hooks[id]!.isStopped = true
        case 4..<8: self.hookLies(id)
        case 8..<30: break
        default: self.hookAnswers(id)
        }
    }

    /// In a drain: it answers, and ends when its channel does.
    mutating func hookBehaves() {
        let alive = self.hooks.filter(\.value.isAlive).keys.sorted { $0.rawValue < $1.rawValue }
        guard let id = alive.randomElement(using: &self.random), let hook = self.hooks[id] else { return }
        if hook.isKilled { return self.hookExits(id, .signalled(9)) }
        if hook.isStopped { return }
        if hook.isClosed { return self.hookExits(id, .exited(code: 0)) }
        self.hookAnswers(id)
    }

    private mutating func hookExits(_ id: HookID, _ status: TerminationStatus) {
        self.hooks[id]!.isAlive = false
        self.hooks[id]!.questions = [:]
        self.post(.hookExited(id, status))
    }

    /// Something that must cost it its life.
    private mutating func hookLies(_ id: HookID) {
        guard let hook = self.hooks[id], hook.isHeard, !hook.isClosed else { return }
        self.hooks[id]!.hasLied = true
        let open = hook.questions.keys.sorted().first
        switch Int.random(in: 0..<5, using: &self.random) {
        case 0: self.post(.hookBrokeProtocol(id, reason: "a frame of 3000000 bytes is longer than its channel allows"))
        case 1: self.post(.hookAnswer(id, Array("oops".utf8)))
        case 2: self.post(.hookAnswer(id, Array(#"{"id":\#(hook.lastNumber + 1)}"#.utf8)))
        case 3: self.post(.hookAnswer(id, Array(#"{"id":\#(open ?? 99),"refsue":"no"}"#.utf8)))
        default:
            // A flood: the first answer may be one, the rest is not.
            let answer = Array(#"{"id":\#(open ?? 99)}"#.utf8)
            if let open { self.noteAnswer(id, open, .nothing) }
            for _ in 0..<5 { self.post(.hookAnswer(id, answer)) }
            self.mark("hook floods")
        }
        if self.hooks[id]!.hasLied { self.fail("a hook lied and lives") }
    }

    private mutating func hookAnswers(_ id: HookID) {
        guard let hook = self.hooks[id], hook.isHeard, !hook.isClosed else { return }
        let numbers = hook.questions.keys.sorted()
        let drawn = self.chance(80) ? numbers.first : numbers.randomElement(using: &self.random)
        guard let number = drawn else { return }
        let content = self.drawnAnswer(to: hook.questions[number]!.question)
        self.noteAnswer(id, number, content)
        self.post(.hookAnswer(id, HookAnswer.encode(content, number: number)))
    }

    /// The answer is on its way: what comes of it is checked against this.
    private mutating func noteAnswer(_ id: HookID, _ number: Int, _ content: HookAnswer.Content) {
        let question = self.hooks[id]!.questions.removeValue(forKey: number)!.question
        self.hooks[id]!.answeredAt = self.now
        self.hooks[id]!.lastAnswered = max(self.hooks[id]!.lastAnswered, number)
        guard question.event != .afterResponse, let name = question.subject.actor else { return }
        if self.wishes[name] == nil || self.wishes[name]!.isAdmitted {
            self.mark("answer that nobody waits for")
        } else {
            self.wishes[name]!.replies[id, default: [:]][question.event] = content
            // It may have waited for its turn until nobody waited for it: that the world does not know.
            if self.wishes[name]!.arrivedAt + self.hooks[id]!.timeout > self.now {
                self.wishes[name]!.inTime[id, default: []].insert(question.event)
            }
        }
    }

    private mutating func drawnAnswer(to question: HookQuestion) -> HookAnswer.Content {
        // In a world of many hooks they note so much that there is no room for it.
        let isWordy = self.configuration.hooks.count > 5
        if self.chance(isWordy ? 5 : 30) { return .nothing }
        switch question.content {
        case .filterModels(_, let models):
            return .models(self.chance(isWordy ? 99 : 85) ? models : self.chance(50) ? ["m1"] : [])
        case .defaultModel: return .model(["m0", "m1", "gone"].randomElement(using: &self.random)!)
        case .beforePrompt:
            if self.chance(isWordy ? 3 : 15) { return .refuse("no") }
            let isShort = self.chance(isWordy ? 10 : 80)
            let text = String(repeating: "y", count: isShort ? 5 : ProtocolBounds.hookAnnotation - 20)
            return .annotate(Array(#"{"note":"\#(text)"}"#.utf8))
        case .afterResponse, .groupExit: return .nothing
        }
    }
}
