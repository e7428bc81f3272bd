import BulkheadClient

/// What a prompt brings: an answer, or a chain where the model has tools.
enum Reply: Sendable {
    case answer(Answer)
    case chain(Chain)

    init(_ client: BulkheadClient, _ request: PromptRequest, tools: Toolbox?) {
        if let tools {
            self = .chain(client.chain(request, tools: tools.tools, options: tools.options))
        } else {
            self = .answer(client.prompt(request))
        }
    }

    /// Asks the daemon to end it.
    func cancel() {
        switch self {
        case .answer(let answer): answer.cancel()
        case .chain(let chain): chain.cancel()
        }
    }

    var frames: Frames {
        switch self {
        case .answer(let answer): Frames(iterator: .answer(answer.frames.makeAsyncIterator()))
        case .chain(let chain): Frames(iterator: .chain(chain.frames.makeAsyncIterator()))
        }
    }

    /// The frames of either, to be read once.
    struct Frames: AsyncSequence {
        fileprivate let iterator: Iterator

        func makeAsyncIterator() -> Iterator { self.iterator }

        enum Iterator: AsyncIteratorProtocol {
            case answer(AnswerFrames.Iterator)
            case chain(ChainFrames.Iterator)

            mutating func next() async throws -> AnswerFrame? {
                switch self {
                case .answer(var frames): try await frames.next()
                case .chain(var frames): try await frames.next()
                }
            }
        }
    }
}
