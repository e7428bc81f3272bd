import BulkheadClient
import Glibc
import Synchronization

/// A loop of prompts that continue one conversation.
///
/// The task reads lines and prints answers; the main thread brings signals. Both look at the state.
///
///     reading ──a prompt──▶ answering ──Ctrl-C──▶ cancelling ──Ctrl-C──▶ the program ends
///      │  ▲                  │ last frame           │ last frame
///      │  └──────────────────┴──────────────────────┘
///      └── Ctrl-D, Ctrl-C, 'exit' ──▶ the program ends
final class Chat: Sendable {
    /// A prompt without its text and its conversation.
    private let template: PromptRequest
    private let path: String
    private let tools: Toolbox?
    private let options: AnswerOptions
    private let isInteractive = StandardInput.isTerminal
    private let state: Mutex<State>

    private enum Phase {
        case reading
        case answering(Reply)
        case cancelling
    }

    private struct State {
        var input = ChatInput()
        var phase = Phase.reading
        /// The connection; `nil` once it has ended, until the next prompt.
        var client: BulkheadClient?
        /// What the next prompt continues.
        var conversation: String?
        /// What the daemon does not keep of the conversation.
        var messages: [ModelMessage] = []
        /// What came of the tool calls of a prompt that failed, which the conversation ends with.
        var toolResults: [ToolResult] = []
        /// Why a prompt failed, the last one that did.
        var failure: ClientError?
    }

    /// - Parameters:
    ///   - path: The daemon's socket, for a new connection where this one ends.
    ///   - conversation: The conversation to continue; `nil` begins one.
    init(
        _ client: BulkheadClient, path: String, template: PromptRequest, conversation: String?, tools: Toolbox?,
        options: AnswerOptions
    ) {
        self.template = template
        self.path = path
        self.tools = tools
        self.options = options
        self.state = Mutex(State(client: client, conversation: conversation))
    }

    /// Asks until the input ends, and returns why the last prompt that failed did.
    func run() async throws -> ClientError? {
        var reader = LineReader(bound: BulkheadClient.requestBound)
        self.showPrompt()
        while let line = try reader.next() {
            switch self.state.withLock({ $0.input.take(line) }) {
            case .goOn: break
            case .quit: return self.end(atLineStart: true)
            case .refuse(let reason): self.say("bulkhead: \(reason)\n")
            case .ask(let text): try await self.ask(text)
            }
            self.showPrompt()
        }
        let lost = self.state.withLock { $0.input.drop() }
        if lost > 0 { throw InputError("the input ended before '!end'; \(lost) lines were not sent") }
        return self.end(atLineStart: !self.isInteractive)
    }

    // MARK: Prompts

    /// Asks and prints the answer. Only a closed output is thrown: after any other error the chat goes on.
    private func ask(_ text: String) async throws(OutputClosed) {
        var reply: Reply?
        do {
            let client = try await self.connectedClient()
            let begun = self.state.withLock { state in
                let reply = Reply(client, self.request(text, state), tools: self.tools)
                state.phase = .answering(reply)
                return reply
            }
            reply = begun
            var printer = AnswerPrinter(
                hidesReasoning: self.options.hideReasoning, showsUsage: self.options.usage,
                showsToolCalls: self.tools == nil)
            var record = AnswerRecord()
            let completion = try await printer.printAll(of: begun.frames) { record.append($0) }
            self.state.withLock { state in
                state.phase = .reading
                state.toolResults = []
                state.conversation = completion?.conversation ?? state.conversation
                guard state.conversation == nil else { return }
                switch begun {
                case .answer: state.messages += [ModelMessage(.user, text: text), record.message]
                case .chain(let chain): state.messages = chain.messages
                }
            }
        } catch let error as ClientError {
            self.fail(error, reply)
        } catch {
            throw OutputClosed()
        }
    }

    private func request(_ text: String, _ state: borrowing State) -> PromptRequest {
        var request = PromptRequest(
            prompt: text, toolResults: state.toolResults, messages: state.messages, conversation: state.conversation)
        request.system = self.template.system
        request.model = self.template.model
        request.stream = self.template.stream
        request.options = self.template.options
        request.mandate = self.template.mandate
        request.timeoutMilliseconds = self.template.timeoutMilliseconds
        return request
    }

    private func connectedClient() async throws(ClientError) -> BulkheadClient {
        if let client = self.state.withLock({ $0.client }) { return client }
        let client = try await BulkheadClient.connect(self.path)
        self.state.withLock { $0.client = client }
        return client
    }

    private func fail(_ error: ClientError, _ reply: Reply?) {
        let wasCancelled = self.state.withLock { state in
            defer { state.phase = .reading }
            // The rounds of a chain that have ended are part of the conversation.
            if case .chain(let chain)? = reply, state.conversation != nil, chain.hasEndedRound {
                state.toolResults = chain.results(cancelling: "the chain was stopped")
            }
            if case .failure(let failure) = error {
                if case .cancelling = state.phase, failure.code == .cancelled { return true }
            } else {
                state.client = nil
            }
            state.failure = error
            return false
        }
        if !wasCancelled { StandardStream.error.report(error) }
    }

    // MARK: Signals

    /// Decides what a signal means now.
    func react(to signal: CInt) -> Interrupts.Reaction {
        let reaction = self.state.withLock { state -> Interrupts.Reaction in
            guard signal == SIGINT else { return .end(128 + signal) }
            switch state.phase {
            case .answering(let answer):
                state.phase = .cancelling
                answer.cancel()
                return .goOn
            case .cancelling: return .end(128 + signal)
            case .reading:
                guard state.input.isCollecting else { return .end(0) }
                _ = state.input.drop()
                self.say("\n")
                return .goOn
            }
        }
        switch reaction {
        case .end: _ = self.end(atLineStart: false)
        case .goOn, .endSoon: break
        }
        return reaction
    }

    // MARK: Words

    private func showPrompt() {
        guard self.isInteractive, self.state.withLock({ !$0.input.isCollecting }) else { return }
        self.say("> ")
    }

    /// Says how to go on another time.
    private func end(atLineStart: Bool) -> ClientError? {
        if self.isInteractive, !atLineStart { self.say("\n") }
        let (conversation, failure) = self.state.withLock { ($0.conversation, $0.failure) }
        if let conversation { self.say("To go on: bulkhead chat --cid \(conversation)\n") }
        return failure
    }

    private func say(_ text: String) {
        // There is nobody to tell that standard error is closed.
        try? StandardStream.error.writeSafely(text)
    }
}
