import Framing
import JSON
import Messages
import Testing

/// The frames of proto/vectors/frames.json.
struct FrameVectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var value: JSONValue
        var testDescription: String { self.name }

        /// The bytes as a client would write them.
        func bytes() throws -> [UInt8] {
            if let hex = self.value["hex"]?.string { return try #require(hexadecimalBytes(hex)) }
            let prefix = try #require(self.value["prefix"]?.string)
            let text = try #require(self.value["repeat"]?[0]?.string)
            let count = try #require(self.value["repeat"]?[1]?.integer)
            let suffix = try #require(self.value["suffix"]?.string)
            return FrameEncoder.encode(Array((prefix + String(repeating: text, count: count) + suffix).utf8))
        }
    }

    static let vectors: [Vector] = {
        do {
            return try ProtocolFolder.json("vectors/frames.json").array!.map {
                Vector(name: $0["name"]!.string!, value: $0)
            }
        } catch {
            Issue.record(error, "proto/vectors/frames.json cannot be read")
            return []
        }
    }()

    @Test func theNamesDifferAndAllCodesOfTheDoorAreThere() {
        #expect(Set(Self.vectors.map(\.name)).count == Self.vectors.count)
        let codes = Set(Self.vectors.compactMap { $0.value["error"]?.string })
        #expect(codes == ["invalid_frame", "invalid_json", "invalid_request", "unknown_op", "not_supported"])
    }

    @Test(arguments: vectors)
    func aFrameBecomesWhatIsWritten(_ vector: Vector) throws {
        var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.clientFrame)
        decoder.append(try vector.bytes())
        if vector.value["incomplete"]?.bool == true {
            #expect(try decoder.next() == nil)
            #expect(!decoder.isAtFrameBoundary)
        } else if vector.value["error"]?.string == ErrorCode.invalidFrame.rawValue {
            #expect(throws: FramingError.self) { try decoder.next() }
        } else {
            let payload = try #require(try decoder.next().map(Array.init))
            #expect(decoder.isAtFrameBoundary)
            if let text = vector.value["payload"]?.string { #expect(payload == Array(text.utf8)) }
            if let code = vector.value["error"]?.string {
                let error = #expect(throws: ClientRequestError.self) { try ClientRequest(decoding: payload) }
                #expect(error?.failure.code.rawValue == code)
                #expect(
                    error?.id.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "null"
                        == vector.value["id"]?.text())
                if let message = vector.value["message"]?.string { #expect(error?.failure.message == message) }
            } else {
                let request = try ClientRequest(decoding: payload)
                #expect(try ClientRequest(decoding: request.encoded) == request)
            }
        }
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
func hexadecimalBytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
            return nil
        }
        bytes.append(byte)
    }
    return bytes
}
