/// Who holds how much of the memory that large things share.
///
/// A reader reserves a large frame whole before it reads it, and waits in line where there is no room; what cannot be refused
/// (output that a worker has already sent) is charged, and keeps the readers waiting.
struct MemoryBudget: Sendable {
    enum Holder: Hashable, Sendable {
        /// A frame on its way in from a client.
        case clientFrame(ConnectionID)
        /// Output that waits for a client, beyond the high water.
        case clientOutput(ConnectionID)
        /// A request that waits for a slot, or whose frame is still on its way to one.
        case request(RequestNumber)
        /// A frame on its way in from a slot.
        case slotFrame(SlotID)
        /// A last frame that waits for its row to be on disk.
        case lastFrame(RequestNumber)
        /// What was asked or answered at length, on its way to the disk, by its sequence number.
        case record(Int)
        /// A prompt whose conversation is not read yet.
        case continuation(RequestNumber)
        /// A request that hooks are asked about, and what they are asked.
        case consultation(RequestNumber)
        /// What the reader is about to answer.
        case readerReply
        /// What was said in a chain.
        case chain(RequestNumber)
    }

    let limit: Int
    private(set) var used = 0
    private var held: [Holder: Int] = [:]
    private var waiting: [(holder: Holder, bytes: Int)] = []

    init(limit: Int) { self.limit = limit }

    /// What `holder` holds.
    func held(by holder: Holder) -> Int { self.held[holder] ?? 0 }

    /// Takes `bytes` for `holder` if there is room and nobody waits.
    mutating func reserve(_ holder: Holder, _ bytes: Int) -> Bool {
        guard self.waiting.isEmpty, self.used + bytes <= self.limit else { return false }
        self.charge(holder, bytes)
        return true
    }

    /// As ``reserve(_:_:)``, or stands in line.
    mutating func reserveOrWait(_ holder: Holder, _ bytes: Int) -> Bool {
        if self.reserve(holder, bytes) { return true }
        self.waiting.append((holder, bytes))
        return false
    }

    /// Hands what `holder` holds on to `successor`, who needs `bytes`: no more than was held, but for what is added to a
    /// request on its way. Where nothing was held it is as ``reserve(_:_:)``.
    mutating func reserve(_ successor: Holder, _ bytes: Int, heldBy holder: Holder) -> Bool {
        guard self.release(holder) > 0 else { return self.reserve(successor, bytes) }
        self.charge(successor, bytes)
        return true
    }

    /// Gives `holder` the room that it stands in line for, if it does, room or no room.
    mutating func grantAtOnce(_ holder: Holder) {
        guard let index = self.waiting.firstIndex(where: { $0.holder == holder }) else { return }
        self.charge(holder, self.waiting.remove(at: index).bytes)
    }

    /// Sets what `holder` holds, room or no room.
    mutating func charge(_ holder: Holder, _ bytes: Int) {
        self.used += bytes - (self.held[holder] ?? 0)
        self.held[holder] = bytes == 0 ? nil : bytes
    }

    /// Gives back what `holder` holds, and its place in line. Returns how much it held.
    @discardableResult
    mutating func release(_ holder: Holder) -> Int {
        if !self.waiting.isEmpty { self.waiting.removeAll { $0.holder == holder } }
        guard let bytes = self.held.removeValue(forKey: holder) else { return 0 }
        self.used -= bytes
        return bytes
    }

    /// Gives room to the first in line, if there is enough now, and says who it was.
    mutating func grantNext() -> Holder? {
        guard let first = self.waiting.first, self.used + first.bytes <= self.limit || self.used == 0 else {
            return nil
        }
        self.waiting.removeFirst()
        self.charge(first.holder, first.bytes)
        return first.holder
    }
}
