public import Messages

/// The answer to a prompt, event by event: `start`, then text, reasoning and tool calls, then `done`.
///
/// The request was sent when the answer was made. An answer can be read once, by one task at a time. A request that fails
/// throws ``ClientError/failure(_:)``, so the event `error` never shows here; events of a later version come as `unknown`
/// and are best ignored.
///
/// The request is cancelled when the task that reads is cancelled (``ClientError/cancelled`` is thrown at once), when the
/// iterator is dropped before the end, for instance by a `break`, and when the answer itself is dropped. Its last frame is
/// waited for behind the scenes, so the connection stays good for others.
public struct Answer: AsyncSequence, Sendable {
    let request: SentRequest

    /// Asks the daemon to end the request. The answer goes on to its last event, or throws a failure with the code
    /// `cancelled`.
    public func cancel() { self.request.cancel() }

    /// The answer as the frames that bring it, to be read instead of the answer.
    ///
    /// The last one may be an `error`, which is not thrown.
    public var frames: AnswerFrames { AnswerFrames(request: self.request) }

    public func makeAsyncIterator() -> Iterator { Iterator(frames: self.frames.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var frames: AnswerFrames.Iterator

        public mutating func next() async throws(ClientError) -> ClientEvent.Event? {
            try await self.next(isolation: nil)
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(ClientError) -> ClientEvent.Event? {
            guard let frame = try await self.frames.next(isolation: actor) else { return nil }
            if case .error(let failure, _, _) = frame.event {
                throw frame.problems.isEmpty
                    ? .failure(failure) : .configurationRefused(failure, problems: frame.problems)
            }
            return frame.event
        }
    }
}

/// The frames of an answer; see ``Answer/frames``.
public struct AnswerFrames: AsyncSequence, Sendable {
    let request: SentRequest

    public func makeAsyncIterator() -> Iterator { Iterator(reader: Reader(request: self.request)) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        public mutating func next() async throws(ClientError) -> AnswerFrame? {
            try await self.next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> AnswerFrame? {
            try await self.reader.request.next().get()
        }
    }

    /// Cancels the request when the iterator and its copies are gone; without effect after the last frame.
    fileprivate final class Reader: Sendable {
        let request: SentRequest
        init(request: SentRequest) { self.request = request }
        deinit { self.request.abandon() }
    }
}
