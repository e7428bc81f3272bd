import JSON
import Messages

/// Fails on demand, so that tests can see what the rest does about it. Only under `testing: true`.
///
/// Its one model is `echo-fault`; what it does is in ``FaultOptions``.
struct EchoFault: Provider {
    let models: [ModelDescription]
    private let channel: any SlotChannel

    init(_ settings: ProviderSettings, in environment: ProviderEnvironment) {
        self.models = settings.models.isEmpty ? [ModelDescription(id: "echo-fault")] : settings.models
        self.channel = environment.channel
    }

    mutating func run(_ request: ModelRequest, into output: AnswerOutput) throws(RequestEnd) -> SlotCompletion {
        let options = try FaultOptions(request.options)
        try self.channel.wait(milliseconds: options.delayMilliseconds)
        for number in 0..<options.chunks {
            if number == options.afterChunks { try self.commit(options) }
            if number > 0 { try self.channel.wait(milliseconds: options.intervalMilliseconds) }
            try output.text(Self.chunk(number, length: options.chunkBytes))
        }
        if options.afterChunks >= options.chunks { try self.commit(options) }
        return SlotCompletion(
            usage: Usage(input: request.prompt.pythonWordCount, output: options.chunks), finishReason: "stop")
    }

    /// Vectors as echo-embed makes them. Its pieces of text are batches here, of which no more is heard than that they are done.
    mutating func embed(
        _ request: EmbeddingRequest, into output: EmbeddingOutput
    ) throws(RequestEnd) -> EmbeddingCompletion {
        let options = try FaultOptions(request.options)
        try self.channel.wait(milliseconds: options.delayMilliseconds)
        for number in 0..<options.chunks {
            if number == options.afterChunks { try self.commit(options) }
            if number > 0 {
                try output.progress()
                try self.channel.wait(milliseconds: options.intervalMilliseconds)
            }
        }
        if options.afterChunks >= options.chunks { try self.commit(options) }
        let embeddings = try EchoEmbeddings([])
        try output.append(request.input.map(embeddings.vector))
        return EmbeddingCompletion(usage: Usage(input: request.input.count, output: nil))
    }

    /// The number of the piece and a space, filled up with dots.
    private static func chunk(_ number: Int, length: Int) -> String {
        let text = "\(number) "
        return text + String(repeating: ".", count: max(0, length - text.utf8.count))
    }

    private func commit(_ options: FaultOptions) throws(RequestEnd) {
        // What was said before the fault is to be seen.
        try self.channel.flush()
        let done = SlotEvent.done(SlotCompletion()).encoded
        switch options.fault {
        case nil: break
        case .crash: FaultActs.crash()
        case .exit: FaultActs.exit()
        case .hang: FaultActs.hang()
        case .stop: FaultActs.stop()
        case .leak: FaultActs.leak(byteCount: options.leakBytes)
        case .silent: while true { try self.channel.wait(milliseconds: 60_000) }
        case .flood:
            while true {
                try self.channel.wait(milliseconds: 0)
                try self.channel.write(SlotEvent.text(Self.chunk(0, length: options.chunkBytes)).encoded)
            }
        case .deafFlood:
            while true { try self.channel.write(SlotEvent.text(Self.chunk(0, length: options.chunkBytes)).encoded) }
        case .garbage: try self.channel.writeUnframed([UInt8](repeating: 0xFF, count: 64))
        case .hugeFrame: try self.channel.writeUnframed([0x40, 0, 0, 0])
        case .badJSON: try self.channel.write(Array(#"{"event":"text","text":"#.utf8))
        case .unknownEvent: try self.channel.write(Array(#"{"event":"surprise"}"#.utf8))
        case .longEvent:
            try self.channel.write(SlotEvent.text(Self.chunk(0, length: ProtocolBounds.eventFrame)).encoded)
        case .twoLasts: try self.channel.write(done)
        case .afterLast:
            try self.channel.write(done)
            try self.channel.write(SlotEvent.text("too late").encoded)
        case .forgedCode: throw .failed(.workerCrashed, "a worker cannot say this")
        case .error: throw .failed(.modelError, "the fault that was asked for")
        }
    }
}
