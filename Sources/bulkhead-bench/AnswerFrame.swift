import JSON
import Messages

/// What the load needs to know of a frame that answers it.
///
/// Of a frame that begins as the daemon writes it, `{"id":7,"event":"text`, only that is read: a chunk costs no more
/// than its look. Any other frame is decoded whole.
enum AnswerFrame: Equatable {
    case start(id: Int)
    /// A piece of the answer.
    case chunk(id: Int)
    case done(id: Int, inputTokens: Int, outputTokens: Int)
    case error(id: Int?, code: String)
    /// An event that says nothing about speed.
    case other

    init(_ payload: ArraySlice<UInt8>) throws(MessageError) {
        if let (id, event) = Self.look(payload) {
            switch event {
            case UInt8(ascii: "s"):
                self = .start(id: id)
                return
            case UInt8(ascii: "t"), UInt8(ascii: "r"):
                self = .chunk(id: id)
                return
            default: break
            }
        }
        try self.init(decoding: Array(payload))
    }

    private init(decoding payload: [UInt8]) throws(MessageError) {
        let frame = try ClientEvent(decoding: payload)
        guard case .number(let number)? = frame.id else {
            guard case .error(let failure, _, _) = frame.event else { throw .wrongType("id", expected: "an integer") }
            self = .error(id: nil, code: failure.code.rawValue)
            return
        }
        let id = Int(number)
        switch frame.event {
        case .start: self = .start(id: id)
        case .text, .reasoning, .toolCall: self = .chunk(id: id)
        case .done(let completion):
            self = .done(
                id: id, inputTokens: completion.usage?.input ?? 0, outputTokens: completion.usage?.output ?? 0)
        case .error(let failure, _, _): self = .error(id: id, code: failure.code.rawValue)
        case .toolResult, .metadata, .round, .unknown: self = .other
        }
    }

    /// The id and the first letter of the event, if the frame begins as expected.
    private static func look(_ payload: ArraySlice<UInt8>) -> (id: Int, event: UInt8)? {
        var index = payload.startIndex + 6
        let end = payload.startIndex + min(payload.count, 40)
        guard index < end, payload[index - 2] == UInt8(ascii: "\""), payload[index - 1] == UInt8(ascii: ":") else {
            return nil
        }
        var id = 0
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        while index < end, digits.contains(payload[index]) {
            id = id * 10 + Int(payload[index] - UInt8(ascii: "0"))
            index += 1
        }
        let name: StaticString = #","event":""#
        guard index + name.utf8CodeUnitCount < end else { return nil }
        for offset in 0..<name.utf8CodeUnitCount where payload[index + offset] != name.utf8Start[offset] { return nil }
        return (id, payload[index + name.utf8CodeUnitCount])
    }
}
