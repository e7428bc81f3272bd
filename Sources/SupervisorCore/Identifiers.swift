/// A client's connection. The shell numbers them; no number comes twice.
public struct ConnectionID: Hashable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A worker process, from its start to its exit. Its replacement has another one.
public struct WorkerID: Hashable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A hook, from when its configuration is taken to the end of its last process. It has one process at a time.
public struct HookID: Hashable, Sendable {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A request inside this process. Outside it is known by its ULID.
struct RequestNumber: Hashable, Sendable {
    var rawValue: UInt64
}

/// A slot of a worker process.
public struct SlotID: Hashable, Sendable {
    public var worker: WorkerID
    /// From 0.
    public var index: Int
    public init(worker: WorkerID, index: Int) {
        self.worker = worker
        self.index = index
    }
}

/// SplitMix64: all that is random in the core is a function of the seed it was made with.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { self.state = seed }

    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
