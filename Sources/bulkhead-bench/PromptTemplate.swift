import Framing
import Messages

/// Writes the frames of prompts, every one with another text, without building a value for each.
///
/// A prompt is the mark of the run, its own number, and words that begin at another place of a fixed text each time, so
/// that neither a cache nor the index of a full-text search sees the same text twice.
struct PromptTemplate: Sendable {
    /// What mark and number take.
    static let minimumLength = 32
    private static let numberLength = 12

    private let promptBytes: Int
    private let mark: [UInt8]
    private let words: [UInt8]
    /// What follows the prompt in the object, of which each request takes the next.
    private let suffixes: [[UInt8]]

    /// - Parameter run: Tells the prompts of this run from those of every other.
    init(_ workload: Workload, run: UInt64) {
        precondition(workload.promptBytes >= Self.minimumLength)
        self.promptBytes = workload.promptBytes
        let digits = String(run, radix: 16)
        self.mark = Array((String(repeating: "0", count: 16 - digits.utf8.count) + digits + " ").utf8)
        self.words = Self.words(atLeast: workload.promptBytes + 4_096)
        self.suffixes =
            workload.namesPurposes
            ? (0..<PolicyLoad.purposes).map { number in
                // Each purpose with another actor than the one before.
                let mandate = Mandate(
                    purpose: PolicyLoad.purpose(number), actor: PolicyLoad.actor(number * 7))
                return Self.suffix(workload, mandate)
            } : [Self.suffix(workload, Mandate())]
    }

    /// Appends the frame of prompt `number`, whose request has the integer `id`.
    func append(number: Int, id: Int, to bytes: inout [UInt8]) {
        let id = String(id).utf8
        let suffix = self.suffixes[number % self.suffixes.count]
        let start = #"{"id":"#.utf8, middle = #","op":"prompt","prompt":""#.utf8
        let length = start.count + id.count + middle.count + self.promptBytes + suffix.count
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        bytes.append(contentsOf: start)
        bytes.append(contentsOf: id)
        bytes.append(contentsOf: middle)
        bytes.append(contentsOf: self.mark)
        self.appendNumber(number, to: &bytes)
        let offset = number * 31 % 4_096
        let rest = self.promptBytes - self.mark.count - Self.numberLength
        bytes.append(contentsOf: self.words[offset..<offset + rest])
        bytes.append(contentsOf: suffix)
    }

    /// Twelve digits.
    private func appendNumber(_ number: Int, to bytes: inout [UInt8]) {
        var divisor = 100_000_000_000
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    /// The end of a request as Messages writes it, with the prompt taken out.
    private static func suffix(_ workload: Workload, _ mandate: Mandate) -> [UInt8] {
        var request = PromptRequest()
        request.prompt = Array(#""""#.utf8)
        request.model = workload.namesPurposes ? nil : workload.model
        request.mandate = mandate
        request.stream = workload.isStreamed
        if workload.directsChunks {
            let options = [("chunks", workload.chunks), ("chunk_bytes", workload.chunkBytes)].compactMap {
                name, value in
                value.map { #""\#(name)":\#($0)"# }
            }
            request.options = Array("{\(options.joined(separator: ","))}".utf8)
        }
        let encoded = ClientRequest(id: .number(0), operation: .prompt(request)).encoded
        let head = #"{"id":0,"op":"prompt","prompt":""#.utf8
        precondition(encoded.starts(with: head), "the prompt is the first thing after the op")
        return Array(encoded.dropFirst(head.count))
    }

    /// Words of one to nine letters, drawn by a fixed rule.
    private static func words(atLeast length: Int) -> [UInt8] {
        var words: [UInt8] = []
        words.reserveCapacity(length + 16)
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        while words.count < length {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var draw = state >> 24
            words.append(UInt8(ascii: " "))
            for _ in 0...(draw % 9) {
                draw /= 7
                words.append(UInt8(ascii: "a") + UInt8(draw % 26))
            }
        }
        return words
    }
}
