import BlockingChannel
import Glibc
import Messages
import Providers

/// One slot: a channel to the supervisor, and the thread that runs what comes through it.
///
///     idle ──request─▶ running ──last frame──▶ idle
///                         │ cancel               ▲
///                         └──▶ cancelled ──last frame
///
/// The end of the stream, or a frame that is none, closes the slot wherever it is.
final class Slot: SlotChannel {
    private var channel: BlockingChannel
    private var state = State.idle

    private enum State {
        case idle
        case running(ULID)
        case cancelled
        case closed
    }

    init(adopting descriptor: CInt) {
        self.channel = BlockingChannel(adopting: descriptor, maximumPayloadLength: ProtocolBounds.workerRequestFrame)
    }

    var descriptor: CInt { self.channel.descriptor }

    /// Runs requests until the supervisor closes the slot.
    func serve(with provider: any Provider) {
        var runner = RequestRunner(provider, channel: self)
        while let payload = self.read() {
            let request: SlotRequest
            do throws(MessageError) { request = try SlotRequest(decoding: payload) } catch {
                // Only a prompt is long enough to be beyond what can be read: it must not cost its neighbours.
                guard runner.refuse(Failure(.modelError, "the request cannot be read: \(error)")) else { return }
                continue
            }
            switch request {
            case .prompt(let prompt):
                self.state = .running(prompt.request)
                guard runner.run(prompt) else { return }
            case .embed(let embed):
                self.state = .running(embed.request)
                guard runner.run(embed) else { return }
            case .listModels(let listing):
                self.state = .running(listing.request)
                guard runner.list(listing) else { return }
            // It is too late: its request is over.
            case .cancel: continue
            }
            if case .closed = self.state { return }
            self.state = .idle
        }
    }

    /// Reads what has come while a request runs, and says whether the request is to end.
    func isInterrupted() -> Bool {
        do throws(ChannelError) {
            while let payload = try self.channel.readIfAvailable() { self.interrupt(with: payload) }
            if self.channel.isAtEnd { self.state = .closed }
        } catch {
            self.state = .closed
        }
        if case .running = self.state { return false }
        return true
    }

    private func interrupt(with payload: [UInt8]) {
        switch try? SlotRequest(decoding: payload) {
        case .cancel(let request):
            if case .running(request) = self.state { self.state = .cancelled }
        case .prompt, .embed, .listModels, nil:
            // A slot that is at work is sent nothing else.
            self.state = .closed
        }
    }

    private func read() -> [UInt8]? {
        do throws(ChannelError) { return try self.channel.read() } catch { return nil }
    }

    // MARK: SlotChannel

    func write(_ payload: [UInt8]) throws(RequestEnd) {
        do throws(ChannelError) { try self.channel.append(payload) } catch { throw .slotClosed }
    }

    func flush() throws(RequestEnd) {
        do throws(ChannelError) { try self.channel.flush() } catch { throw .slotClosed }
    }

    func wait(milliseconds: Int) throws(RequestEnd) {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            guard !self.isInterrupted() else {
                if case .cancelled = self.state { throw .cancelled }
                throw .slotClosed
            }
            let rest = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            guard rest > 0 else { return }
            try self.flush()
            var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            Glibc.poll(&poll, 1, CInt(min(rest.rounded(.up), 60_000)))
        }
    }

    func writeUnframed(_ bytes: [UInt8]) throws(RequestEnd) {
        try self.flush()
        guard send(self.descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { throw .slotClosed }
    }
}
