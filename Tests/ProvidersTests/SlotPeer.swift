import BlockingChannel
import Curl
import Glibc
import JSON
import Messages
import Providers
import TestUpstream
import Testing

@testable import bulkhead_worker

/// A slot of a worker in this process, seen from the supervisor's end of its channel.
final class SlotPeer {
    private var channel: BlockingChannel
    private let ended = Monitor(false)

    /// Starts the slot's thread.
    init(_ settings: ProviderSettings) {
        var pair: [CInt] = [0, 0]
        precondition(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
        self.channel = BlockingChannel(adopting: pair[0], maximumPayloadLength: ProtocolBounds.lastFrame)
        let (ended, descriptor) = (self.ended, pair[1])
        Thread.detached {
            let slot = Slot(adopting: descriptor)
            let transport = CurlTransport(waitingOn: descriptor) { slot.isInterrupted() }
            var identifiers = ULIDGenerator()
            let environment = ProviderEnvironment(transport: transport, channel: slot) {
                var random = SystemRandomNumberGenerator()
                return identifiers.next(atMilliseconds: 1_700_000_000_000, using: &random)
            }
            guard let provider = try? ProviderRegistry.makeProvider(settings, in: environment) else { return }
            slot.serve(with: provider)
            ended.withLock { $0 = true }
        }
    }

    /// Sends a prompt whose id ends in `number`.
    func prompt(_ number: Int, _ text: String = "x", model: String = "m", stream: Bool = true, options: String = "{}")
        throws
    {
        let prompt = PromptRequest(prompt: text, stream: stream, options: try JSONValue(parsing: options))
        try self.channel.write(SlotRequest.encodePrompt(prompt, request: Self.id(number), model: model, key: "sk-1"))
    }

    func cancel(_ number: Int) throws { try self.channel.write(SlotRequest.encodeCancel(Self.id(number))) }

    func write(_ payload: [UInt8]) throws { try self.channel.write(payload) }

    func frame() throws -> [UInt8]? { try self.channel.read() }

    /// Every frame up to the last one of a request.
    func outcome() throws -> Outcome {
        var frames: [[UInt8]] = []
        while let frame = try self.channel.read() {
            frames.append(frame)
            let kind = try JSONValue(parsing: frame)["event"]?.string
            if kind == "done" || kind == "error" { break }
        }
        return try Outcome(frames)
    }

    /// Sends nothing more, as a supervisor does that closes the slot or dies; `false` if the slot's thread does not
    /// end.
    func close() -> Bool {
        shutdown(self.channel.descriptor, CInt(SHUT_RDWR))
        return self.ended.wait(seconds: 60) { $0 }
    }

    static func id(_ number: Int) -> ULID { ULID("01arz3ndektsv4rrffq69g5fa\(number)")! }
}
