/// What a measurement counted. Latencies are samples, every one of them: percentiles are exact.
struct LoadTally: Sendable {
    /// From the making of a request's frame to its `done`, in nanoseconds; of requests that were answered.
    private(set) var latencies: [UInt64] = []
    /// From the making of a request's frame to the first piece of its answer, in nanoseconds.
    private(set) var firstChunks: [UInt64] = []
    private(set) var chunks = 0
    private(set) var inputTokens = 0
    private(set) var outputTokens = 0
    /// Failed requests by the code of their error.
    private(set) var errors: [String: Int] = [:]
    /// From the first request to the last answer, in nanoseconds.
    var elapsed: UInt64 = 0

    var answered: Int { self.latencies.count }
    var failed: Int { self.errors.values.reduce(0, +) }

    /// - Parameter requests: How many samples may come. Room for them is asked for at once, so that none of it is made
    ///   while time is taken; the kernel gives each page when it is first written.
    init(requests: Int, isStreamed: Bool) {
        self.latencies.reserveCapacity(requests)
        if isStreamed { self.firstChunks.reserveCapacity(requests) }
    }

    mutating func chunkArrived() { self.chunks += 1 }

    mutating func firstChunkArrived(after latency: UInt64) { self.firstChunks.append(latency) }

    mutating func requestEnded(after latency: UInt64, inputTokens: Int, outputTokens: Int) {
        self.latencies.append(latency)
        self.inputTokens += inputTokens
        self.outputTokens += outputTokens
    }

    mutating func requestFailed(_ code: String, count: Int = 1) {
        if count > 0 { self.errors[code, default: 0] += count }
    }
}
