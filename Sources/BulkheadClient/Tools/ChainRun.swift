import JSON
import Messages
import Synchronization

/// A chain that runs: its request, and the calls that its tools are busy with.
///
/// Whoever reads the chain brings its frames here. A `round` starts the calls that are owed, each in a task of its own; a
/// result is sent as soon as it is there.
///
///     reading ──round──▶ calling ──all results are sent──▶ reading
///        │                  │ a tool pauses or a hook fails, and the last call that runs has ended
///        │ last frame       ▼
///        └─────────▶ over ◀─┘
final class ChainRun: Sendable {
    let request: SentRequest
    let client: BulkheadClient
    let tools: [String: Tool]
    let options: ChainOptions
    let state: Mutex<State>
    /// What the chain began with.
    private let prompt: PromptRequest

    struct State {
        var record: ChainRecord
        /// What all rounds so far have used.
        var usage: Usage?
        /// Calls that wait for another one to end, by their number in the chain.
        var waiting: [(number: Int, call: ToolCall)] = []
        /// Calls that run.
        var tasks: [Int: Task<Void, Never>] = [:]
        /// How many calls there were in all rounds.
        var callCount = 0
        /// What the calls threw that the chain must stop for, by their numbers.
        var stops: [Int: any Error] = [:]
        var isOver = false
    }

    init(_ client: BulkheadClient, _ prompt: PromptRequest, tools: [Tool], options: ChainOptions) {
        var prompt = prompt
        prompt.tools = tools.isEmpty ? nil : JSONValue.array(tools.map(\.definition.value)).serialized()
        var chain = ChainRequest(prompt)
        chain.limit = options.limit
        if let timeout = options.toolTimeout { chain.toolTimeoutMilliseconds = timeout.wholeMilliseconds }
        self.client = client
        self.prompt = prompt
        self.tools = Dictionary(tools.map { ($0.name, $0) }) { first, _ in first }
        self.options = options
        self.state = Mutex(State(record: ChainRecord(prompt)))
        self.request = SentRequest(client: client, operation: .chain(chain))
    }

    // MARK: For who reads

    var record: ChainRecord { self.state.withLock { $0.record } }

    var usage: Usage? { self.state.withLock { $0.usage } }

    /// Waits for the next frame, and does what it asks for.
    func next() async throws -> AnswerFrame? {
        do {
            let frame = try await self.request.next().get()
            if let frame { self.take(frame.event) }
            return frame
        } catch {
            self.end()
            throw self.stop ?? error
        }
    }

    /// Asks the daemon to end the chain, and cancels the calls that run.
    func cancel() {
        self.end()
        self.request.cancel()
    }

    /// The same for who reads no further.
    func abandon() {
        self.end()
        self.request.abandon()
    }

    /// The request that goes on where this chain is.
    var continuation: PromptRequest {
        var request = self.prompt
        let record = self.record
        if record.conversation != nil {
            if record.hasEndedRound { (request.prompt, request.attachments, request.toolResults) = (nil, nil, nil) }
            request.addToolResults(record.results)
        } else {
            (request.prompt, request.attachments, request.system, request.toolResults) = (nil, nil, nil, nil)
            request.messages = JSONValue.array(record.messages.map(\.value)).serialized()
        }
        return request
    }

    private func take(_ event: ClientEvent.Event) {
        self.state.withLock { state in
            state.record.append(event)
            if let usage = event.usage { state.usage = state.usage?.adding(usage) ?? usage }
            if case .round(_, let pending) = event {
                self.begin(state.record.unansweredCalls.filter { pending.contains($0.id) }, &state)
            }
        }
        switch event {
        case .done, .error: self.end()
        case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown: break
        }
    }

    /// Why the chain has stopped itself: what went wrong rather than a pause, and of that the first in the calls' order.
    private var stop: (any Error)? {
        self.state.withLock { state in
            let stops = state.stops.sorted { $0.key < $1.key }.map(\.value)
            if let failure = stops.first(where: { !($0 is ChainPause) }) { return failure }
            guard var pause = stops.first as? ChainPause else { return nil }
            pause.messages = state.record.messages
            return pause
        }
    }

    /// Cancels the calls that run, and starts no other.
    private func end() {
        let tasks = self.state.withLock { state in
            state.isOver = true
            state.waiting = []
            return state.tasks.values
        }
        for task in tasks { task.cancel() }
    }
}

extension PromptRequest {
    fileprivate mutating func addToolResults(_ results: [ToolResult]) {
        guard !results.isEmpty else { return }
        let known = self.toolResults.flatMap { try? JSONValue(parsing: $0, bounds: .lenient) }?.array ?? []
        self.toolResults = JSONValue.array(known + results.map(\.value)).serialized()
    }
}
