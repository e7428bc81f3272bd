public import Messages

/// A prompt whose model calls tools, and is asked again with what they say, until it calls none: event by event.
///
///     let chain = client.chain(PromptRequest(prompt: "Shall I take an umbrella?"), tools: [weather])
///     for try await event in chain {
///         if case .text(let text) = event { print(text, terminator: "") }
///     }
///
/// Each round is `start`, then text, reasoning and tool calls; `round` ends one that has called tools, and `done` the
/// last. Reading the chain is what runs the tools: those of a round run at once, and a result is sent as soon as it is
/// there. The first text of a round begins with a space, unless there is white space already: see ``ChainText``.
///
/// A chain can be read once, by one task at a time. Reading it throws ``ClientError``, a ``ChainPause`` of a tool, or what a
/// hook has thrown; then ``continuation`` goes on where it was, on this connection or another. The chain is cancelled, and
/// the tasks of its tools are, when the task that reads is, or when the iterator is dropped before the end.
///
/// A call of a tool that there is not, or with arguments that are no JSON object, is answered by the daemon, as llm would
/// (`Error: tool "x" does not exist`): `toolResult` shows it, and no hook is asked.
public struct Chain: AsyncSequence, Sendable {
    let run: ChainRun

    /// Asks the daemon to end the chain, and cancels the tools that run. The chain goes on to its last event, or throws a
    /// failure with the code `cancelled`.
    public func cancel() { self.run.cancel() }

    /// The conversation so far: what was asked, and for each round that has ended the model's message and one with the
    /// results that there are, in the order of the calls. What was said before in the conversation on record is not in it.
    public var messages: [ModelMessage] { self.run.record.messages }

    /// What all rounds so far have used together; `nil` where no provider has counted.
    public var usage: Usage? { self.run.usage }

    /// The request that goes on where this chain is, with the results that there are: by its messages, or by the
    /// conversation where the request named one. Tools whose result is missing are called again.
    ///
    ///     } catch ClientError.daemonGone {
    ///         let client = try await BulkheadClient.connect()
    ///         for try await event in client.chain(chain.continuation, tools: tools) { … }
    ///     }
    public var continuation: PromptRequest { self.run.continuation }

    /// Whether a round has ended, so that the conversation on record has grown.
    public var hasEndedRound: Bool { self.run.record.hasEndedRound }

    /// The results that the chain ended without, for who goes on with another prompt instead: those that there are, and
    /// for each other call of the last round one that says that it was cancelled, and why.
    public func results(cancelling reason: String) -> [ToolResult] {
        self.run.record.results(cancelling: reason)
    }

    /// The chain as the frames that bring it, to be read instead of the chain. The last one may be an `error`, which is
    /// not thrown.
    public var frames: ChainFrames { ChainFrames(run: self.run) }

    /// Reads to the end, and returns the last event with the text of all rounds.
    public func completion() async throws -> ClientEvent.Completion {
        var (text, whole) = (ChainText(), "")
        for try await frame in self.frames {
            whole += text.next(frame.event)
            switch frame.event {
            case .done(var completion):
                completion.text = whole
                return completion
            case .error(let failure, _, _): throw ClientError.failure(failure)
            case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown: break
            }
        }
        throw ClientError.cancelled
    }

    public func makeAsyncIterator() -> Iterator { Iterator(frames: self.frames.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var frames: ChainFrames.Iterator
        private var text = ChainText()

        fileprivate init(frames: ChainFrames.Iterator) { self.frames = frames }

        public mutating func next() async throws -> ClientEvent.Event? {
            guard let frame = try await self.frames.next() else { return nil }
            let text = self.text.next(frame.event)
            switch frame.event {
            case .error(let failure, _, _): throw ClientError.failure(failure)
            case .text: return .text(text)
            case .start, .reasoning, .toolCall, .toolResult, .metadata, .round, .done, .unknown: return frame.event
            }
        }
    }
}

/// The frames of a chain; see ``Chain/frames``.
public struct ChainFrames: AsyncSequence, Sendable {
    let run: ChainRun

    public func makeAsyncIterator() -> Iterator { Iterator(reader: Reader(run: self.run)) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        public mutating func next() async throws -> AnswerFrame? { try await self.reader.run.next() }
    }

    /// Cancels the chain when the iterator and its copies are gone; without effect after the last frame.
    fileprivate final class Reader: Sendable {
        let run: ChainRun
        init(run: ChainRun) { self.run = run }
        deinit { self.run.abandon() }
    }
}
