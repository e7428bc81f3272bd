import JSON
public import Messages

/// Where a provider puts the vectors that it makes: in the order of the texts, batch by batch.
///
/// They are kept as the text that the provider wrote, and given up with `answer_too_large` before they outgrow
/// ``ProtocolBounds/lastFrame``: as soon as they do, or after a batch by which the whole would be a quarter longer.
public final class EmbeddingOutput {
    private let channel: any SlotChannel
    private let count: Int
    private var done = 0
    private var text = [UInt8(ascii: "[")]

    /// The most bytes that all vectors may take; the rest of the last frame is usage and names.
    private static let bound = ProtocolBounds.lastFrame - (16 << 10)

    public init(for request: EmbeddingRequest, channel: any SlotChannel) {
        self.channel = channel
        self.count = request.input.count
    }

    /// Takes the vectors of the next texts, each as ``EmbeddingText/vector(_:)`` makes it.
    public func append(_ vectors: [[UInt8]]) throws(RequestEnd) {
        for vector in vectors {
            guard self.text.count + vector.count + 2 <= Self.bound else { throw self.tooLong() }
            if self.text.count > 1 { self.text.append(UInt8(ascii: ",")) }
            self.text.append(contentsOf: vector)
            self.done += 1
        }
        guard self.done < self.count, self.done > 0 else { return }
        guard self.text.count / self.done * self.count <= Self.bound / 4 * 5 else { throw self.tooLong() }
    }

    /// Says that a batch is done and others follow, unless the request is to end.
    public func progress() throws(RequestEnd) {
        try self.channel.write(SlotProgress.encoded)
        try self.channel.wait(milliseconds: 0)
        try self.channel.flush()
    }

    /// All vectors as a JSON array; the output is empty then.
    func takeEmbeddings() throws(RequestEnd) -> [UInt8] {
        guard self.done == self.count else {
            throw .invalidResponse("it has \(self.done) vectors for \(self.count) texts")
        }
        defer { self.text = [] }
        self.text.append(UInt8(ascii: "]"))
        return self.text
    }

    private func tooLong() -> RequestEnd {
        let fitting = self.done > 0 ? min(Self.bound / (self.text.count / self.done), self.count - 1) : 0
        let advice = fitting > 0 ? "ask for fewer texts at once (about \(fitting)) or" : "ask"
        return .failed(
            .answerTooLarge,
            "the vectors of \(self.count) texts are longer than \(ProtocolBounds.lastFrame) bytes; "
                + "\(advice) for fewer dimensions")
    }
}
