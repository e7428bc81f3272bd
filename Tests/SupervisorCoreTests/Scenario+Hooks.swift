import Messages

@testable import SupervisorCore

// Hooks, by their names.
extension Scenario {
    @discardableResult
    mutating func hook(_ name: String, _ answer: String) -> [String] {
        self.post(.hookAnswer(self.hookIDs[name]!, Array(answer.utf8)))
    }

    @discardableResult
    mutating func hookExits(_ name: String, _ status: TerminationStatus = .signalled(9)) -> [String] {
        self.post(.hookExited(self.hookIDs[name]!, status))
    }

    /// What the operator was told of, in short.
    var messages: [String] { self.entries.map(\.message) }
}

extension HookSettings {
    static func test(
        _ name: String = "h", _ events: [HookEvent] = [.beforePrompt], timeout: Int = 2000, closed: Bool = false
    ) -> HookSettings {
        HookSettings(
            name: name, command: ["/\(name)"], events: events, timeoutMilliseconds: timeout, isClosed: closed)
    }
}
