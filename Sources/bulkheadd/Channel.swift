import Framing
import Libuv

/// A stream of frames in both directions, and what of it waits in this process.
///
/// What is sent is gathered until ``flush()``, so that all frames that one turn of the loop makes leave in one write.
final class Channel {
    /// What a channel tells its owner. The owner queues events; nothing here is called from within a call to the
    /// channel, except by ``Channel/flush()``.
    protocol Delegate: AnyObject {
        func channel(_ channel: Channel, received payload: [UInt8])
        /// Part of a frame is here. `length` is what its header announced, once that is here.
        func channel(_ channel: Channel, beganFrame length: Int?)
        func channel(_ channel: Channel, announcedTooLong length: Int)
        /// This many bytes wait: told from the write on that left some, after each later one. `tookSome`: the other end has
        /// taken some since the last time.
        func channel(_ channel: Channel, hasBacklog bytes: Int, tookSome: Bool)
        /// More frames have been read than are told at once: ``Channel/deliver()`` is to be called again, when what came of
        /// those that were told has been done.
        func channelHasMore(_ channel: Channel)
        /// The bytes that arrived together have been told, but for what ``channelHasMore(_:)`` announced.
        func channelFinishedReading(_ channel: Channel)
        /// The other end is gone, or can no longer be written to. Called once.
        func channelEnded(_ channel: Channel)
    }

    /// The largest single write that the kernel is left with; progress is told after each.
    private static let chunk = 64 << 10

    /// Which of its owner's channels this is.
    let index: Int
    private let pipe: Pipe
    private var decoder: FrameDecoder
    private unowned let delegate: any Delegate

    private var pending: [UInt8] = []
    private var head = 0
    private var inFlight = 0
    /// Whether the owner was last told of something that waits.
    private var hasToldBacklog = false
    /// How many frames are told at once. One small read may hold thousands, each of which asks for a long answer.
    private let batch: Int
    private var hasUndelivered = false
    private var begunFrame: Begun = .none
    private var isPaused = false
    /// Nothing can be written any more; what the other end wrote before it went may still be read.
    private var isBroken = false
    private var closesWhenWritten = false
    private var onClose: (() -> Void)?
    private(set) var hasEnded = false

    /// What has been told of a frame whose rest is still to come.
    private enum Begun { case none, withoutLength, withLength }

    init(_ pipe: Pipe, index: Int = 0, maximumPayloadLength: Int, batch: Int = .max, delegate: any Delegate) {
        self.pipe = pipe
        self.batch = batch
        self.index = index
        self.decoder = FrameDecoder(maximumPayloadLength: maximumPayloadLength)
        self.delegate = delegate
    }

    /// Bytes that were sent and that the kernel has not taken.
    var backlog: Int { self.pending.count - self.head + self.inFlight }

    var isReading: Bool { !self.isPaused && !self.hasEnded && !self.pipe.isClosing }

    // MARK: Reading

    func startReading() throws {
        try self.pipe.startReading { [unowned self] bytes in
            self.decoder.append(bytes)
            self.deliver()
            self.delegate.channelFinishedReading(self)
        } onEnd: { [unowned self] _ in
            self.end()
        }
    }

    /// Tells the next frames that have been read, unless it is paused.
    func deliver() {
        guard !self.isPaused, !self.hasEnded, !self.pipe.isClosing else { return }
        do throws(FramingError) {
            var count = 0
            while count < self.batch, let payload = try self.decoder.next() {
                self.begunFrame = .none
                self.delegate.channel(self, received: Array(payload))
                count += 1
            }
            self.hasUndelivered = count == self.batch
            if self.hasUndelivered { self.delegate.channelHasMore(self) } else { self.tellBegunFrame() }
        } catch {
            self.hasUndelivered = false
            self.pipe.pauseReading()
            switch error {
            case .payloadTooLong(let length): self.delegate.channel(self, announcedTooLong: length)
            }
        }
    }

    private func tellBegunFrame() {
        guard !self.decoder.isAtFrameBoundary else { return }
        let length = self.decoder.announcedLength
        switch (self.begunFrame, length) {
        case (.none, nil): self.begunFrame = .withoutLength
        case (.none, _?), (.withoutLength, _?): self.begunFrame = .withLength
        case (.withoutLength, nil), (.withLength, _): return
        }
        self.delegate.channel(self, beganFrame: length)
    }

    func pause() {
        self.isPaused = true
        if !self.pipe.isClosing { self.pipe.pauseReading() }
    }

    func resume() {
        self.isPaused = false
        guard !self.pipe.isClosing, !self.hasEnded else { return }
        if self.hasUndelivered { self.delegate.channelHasMore(self) }
        do { try self.pipe.resumeReading() } catch { self.end() }
    }

    private func end() {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        if !self.pipe.isClosing { self.pipe.pauseReading() }
        self.delegate.channelEnded(self)
    }

    // MARK: Writing

    func send(_ payload: [UInt8]) {
        guard !self.hasEnded, !self.isBroken, !self.pipe.isClosing else { return }
        FrameEncoder.append(payload, to: &self.pending)
    }

    /// Writes what waits, as far as the kernel takes it now; the rest follows as it takes more.
    func flush() {
        guard !self.hasEnded, !self.pipe.isClosing else { return }
        // What has piled up behind a chunk that the other end does not take must be known too.
        guard self.inFlight == 0 else { return self.tellBacklog(tookSome: false) }
        do {
            var taken = 0
            if self.head < self.pending.count {
                taken = try self.pipe.tryWrite(self.pending[self.head...])
                self.advance(taken)
            }
            if self.head < self.pending.count {
                try self.writeChunk()
                self.tellBacklog(tookSome: taken > 0)
            } else {
                if self.hasToldBacklog { self.tellBacklog(tookSome: true) }
                if self.closesWhenWritten { self.closePipe() }
            }
        } catch {
            self.breakOff()
        }
    }

    private func tellBacklog(tookSome: Bool) {
        self.hasToldBacklog = self.backlog > 0
        self.delegate.channel(self, hasBacklog: self.backlog, tookSome: tookSome)
    }

    /// The other end takes nothing any more. Its last words are read, unless nobody is reading: then this is the end.
    private func breakOff() {
        self.isBroken = true
        self.pending = []
        self.head = 0
        if self.isPaused { self.end() }
    }

    private func advance(_ count: Int) {
        self.head += count
        if self.head == self.pending.count {
            self.pending.removeAll(keepingCapacity: self.pending.capacity <= 2 * Self.chunk)
            self.head = 0
        } else if self.head > 1 << 20 {
            self.pending.removeSubrange(..<self.head)
            self.head = 0
        }
    }

    private func writeChunk() throws {
        let chunk = self.pending[self.head..<min(self.head + Self.chunk, self.pending.count)]
        self.inFlight = chunk.count
        try self.pipe.write(chunk) { [weak self] error in
            guard let self, !self.pipe.isClosing else { return }
            self.inFlight = 0
            if error != nil {
                self.breakOff()
                self.tellBacklog(tookSome: false)
            } else {
                self.tellBacklog(tookSome: true)
                self.flush()
            }
            self.delegate.channelFinishedReading(self)
        }
        self.advance(chunk.count)
    }

    // MARK: Closing

    /// Closes once everything that was sent has left, and calls `body` when it is closed.
    func closeWhenWritten(_ body: @escaping () -> Void) {
        self.pause()
        self.onClose = body
        self.closesWhenWritten = true
        if self.hasEnded || self.backlog == 0 { self.closePipe() }
    }

    /// Closes at once.
    func close(_ body: (() -> Void)? = nil) {
        if let body { self.onClose = body }
        self.closePipe()
    }

    private func closePipe() {
        guard !self.pipe.isClosing else { return }
        self.pending = []
        self.head = 0
        // The handle outlives this object until its close callback, and drops it then.
        self.pipe.close { [onClose] in onClose?() }
    }
}
