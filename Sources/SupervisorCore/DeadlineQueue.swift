/// Deadlines by instant: at most one for each key, and none left behind for a key that is gone.
///
/// A binary heap that knows where each key stands, so that setting, moving and removing cost O(log n) and the memory is that of
/// the keys alive.
struct DeadlineQueue<Key: Hashable & Sendable>: Sendable {
    private var heap: [(instant: Instant, key: Key)] = []
    private var positions: [Key: Int] = [:]

    /// The earliest deadline.
    var earliest: Instant? { self.heap.first?.instant }

    var count: Int { self.heap.count }

    /// Sets the deadline of `key`, or moves it.
    mutating func set(_ key: Key, at instant: Instant) {
        if let position = self.positions[key] {
            self.heap[position].instant = instant
            self.siftUp(position)
            self.siftDown(self.positions[key]!)
        } else {
            self.heap.append((instant, key))
            self.positions[key] = self.heap.count - 1
            self.siftUp(self.heap.count - 1)
        }
    }

    mutating func remove(_ key: Key) {
        guard let position = self.positions.removeValue(forKey: key) else { return }
        let last = self.heap.removeLast()
        guard position < self.heap.count else { return }
        self.heap[position] = last
        self.positions[last.key] = position
        self.siftUp(position)
        self.siftDown(self.positions[last.key]!)
    }

    /// Removes and returns a key whose deadline has come.
    mutating func popDue(at now: Instant) -> Key? {
        guard let first = self.heap.first, first.instant <= now else { return nil }
        self.remove(first.key)
        return first.key
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard self.heap[position].instant < self.heap[parent].instant else { return }
            self.swap(position, parent)
            position = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        while true {
            var smallest = position
            for child in [2 * position + 1, 2 * position + 2]
            where child < self.heap.count && self.heap[child].instant < self.heap[smallest].instant {
                smallest = child
            }
            guard smallest != position else { return }
            self.swap(position, smallest)
            position = smallest
        }
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        self.heap.swapAt(a, b)
        self.positions[self.heap[a].key] = a
        self.positions[self.heap[b].key] = b
    }
}
