import JSON
import Messages

/// Cuts the texts of a request into batches that a provider takes, and whose answers can be held.
///
///     while let batch = batches.next() { … batches.answered(bytes: …) }
struct EmbeddingBatches {
    private let input: [String]
    private let bounds: EmbeddingBounds
    private var position = 0
    private var lastCount = 0
    /// What the vector of one text is thought to take of an answer, in bytes.
    private var vectorLength: Int

    /// How long an answer is to become at most, in bytes: half of what is read of one, since texts differ.
    static let answerLength = HTTPBounds.body / 2
    /// What a number takes at most, with the indentation of providers that write each on a line of its own, in bytes.
    private static let numberLength = 32
    /// How many numbers a vector is thought to have before one was seen: as many as those of today's largest models.
    private static let dimensions = 4096

    init(_ request: EmbeddingRequest, _ bounds: EmbeddingBounds) {
        self.input = request.input
        self.bounds = bounds
        let wanted = request.options.first { $0.name == "dimensions" }?.value.integer
        self.vectorLength = max(min(wanted ?? Self.dimensions, Self.dimensions), 1) * Self.numberLength
    }

    var isEmpty: Bool { self.position == self.input.count }

    /// The next texts; `nil` after the last.
    mutating func next() -> ArraySlice<String>? {
        guard !self.isEmpty else { return nil }
        let count = max(min(self.bounds.inputs, Self.answerLength / self.vectorLength), 1)
        var end = self.position
        var bytes = 0
        while end < self.input.count, end - self.position < count {
            bytes += self.input[end].utf8.count
            if bytes > self.bounds.bytes, end > self.position { break }
            end += 1
        }
        defer { self.position = end }
        self.lastCount = end - self.position
        return self.input[self.position..<end]
    }

    /// Learns from the answer to the last batch, which had so many bytes, how long vectors really are.
    mutating func answered(bytes: Int) { self.vectorLength = max(bytes / max(self.lastCount, 1), 1) }
}
