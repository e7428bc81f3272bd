import Messages

@testable import SupervisorCore

// The reader's side of a scenario.
extension Scenario {
    /// The process that was started opens the file.
    @discardableResult
    mutating func readerIsReady() -> [String] {
        self.post(.readerStarted(pid: 300))
            + self.reader(.ready(protocolVersion: ProtocolVersion.current, version: "1"))
    }

    @discardableResult
    mutating func reader(_ reply: ReaderReply) -> [String] { self.post(.readerReply(reply.encoded)) }

    @discardableResult
    mutating func readerDies() -> [String] { self.post(.readerExited(.signalled(9))) }

    /// The number of the question that the reader works on; -1 where there is none.
    var question: Int { self.core.reader.asked.map { Int($0.rawValue) } ?? -1 }

    /// The reader answers the history that it was asked for.
    @discardableResult
    mutating func remembers(
        tip: String? = "b2:1", model: String? = "echo", system: String? = nil,
        _ messages: String = #"[{"role":"user"}]"#
    ) -> [String] {
        self.reader(
            .history(
                query: self.question,
                .init(tip: tip, model: model, system: system, messages: Array(messages.utf8))))
    }

    @discardableResult
    mutating func answersPage(_ rows: String = "[]", next: String? = nil) -> [String] {
        self.reader(.page(query: self.question, rows: Array(rows.utf8), next: next))
    }

    @discardableResult
    mutating func refuses(_ code: ErrorCode) -> [String] {
        self.reader(.error(query: self.question, Failure(code, "no")))
    }

    /// A client continues a conversation.
    @discardableResult
    mutating func continues(_ client: UInt64, _ id: Int, _ conversation: String = "c", _ members: String = "")
        -> [String]
    {
        self.client(
            client, #"{"id":\#(id),"op":"prompt","conversation":"\#(conversation)","prompt":"more"\#(members)}"#)
    }

    /// A daemon that stores prompts, whose reader is ready, with a client of uid 1000 as number 1.
    static func remembering(
        durability: ServiceConfiguration.Durability = .commit, providers: [ProviderSettings] = [.echo()],
        bounds: SupervisorBounds = SupervisorBounds()
    ) -> Scenario {
        var scenario = Scenario.ready(
            durability: durability, storesPrompts: true, providers: providers, bounds: bounds)
        scenario.connect(1)
        scenario.client(1, #"{"id":"first","op":"logs"}"#)
        scenario.readerIsReady()
        scenario.answersPage()
        return scenario
    }

    /// Whether nothing is held by anybody.
    var isClean: Bool {
        let footprint = self.core.footprint
        return footprint.requests == 0 && footprint.continuations == 0 && footprint.conversations == 0
            && footprint.questions == 0 && footprint.memory == 0 && footprint.logBytes == 0 && footprint.logOutput == 0
            && footprint.logReserved == 0
    }
}
