import Framing
import Testing

struct FrameDecoderTests {
    private static let payloads: [[UInt8]] = [
        Array("{}".utf8), [], Array("{\"a\":1}".utf8), [UInt8](repeating: 0x20, count: 300), [0],
    ]
    private static let stream = payloads.reduce(into: [UInt8]()) { FrameEncoder.append($1, to: &$0) }

    @Test func aHeaderIsTheLengthInFourBytesBigEndian() {
        #expect(FrameEncoder.encode(Array("{}".utf8)) == [0, 0, 0, 2, 0x7B, 0x7D])
        #expect(Array(FrameEncoder.encode([UInt8](repeating: 1, count: 0x01_02_03)).prefix(5)) == [0, 1, 2, 3, 1])
    }

    @Test(arguments: 1...40)
    func anyChunkingGivesTheSameFrames(_ size: Int) throws {
        var decoder = FrameDecoder(maximumPayloadLength: 1024)
        var payloads: [[UInt8]] = []
        for start in stride(from: 0, to: Self.stream.count, by: size) {
            decoder.append(Self.stream[start..<min(start + size, Self.stream.count)])
            while let payload = try decoder.next() { payloads.append(Array(payload)) }
        }
        #expect(payloads == Self.payloads)
        #expect(decoder.isAtFrameBoundary)
    }

    @Test func everyCutInTwoGivesTheSameFrames() throws {
        for cut in 0...Self.stream.count {
            var decoder = FrameDecoder(maximumPayloadLength: 1024)
            var payloads: [[UInt8]] = []
            for part in [Self.stream[..<cut], Self.stream[cut...]] {
                decoder.append(part)
                while let payload = try decoder.next() { payloads.append(Array(payload)) }
            }
            #expect(payloads == Self.payloads, "cut at \(cut)")
        }
    }

    @Test func framesMayBeTakenLaterThanTheyArrive() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 1024)
        var payloads: [[UInt8]] = []
        for byte in Self.stream {
            decoder.append(CollectionOfOne(byte))
            if byte == 0x7D, let payload = try decoder.next() { payloads.append(Array(payload)) }
        }
        while let payload = try decoder.next() { payloads.append(Array(payload)) }
        #expect(payloads == Self.payloads)
    }

    @Test func aRawSpanIsAppendedAsItsBytes() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 1024)
        Self.stream.withUnsafeBytes { decoder.append(RawSpan(_unsafeBytes: $0)) }
        #expect(try decoder.next().map(Array.init) == Self.payloads[0])
    }

    @Test func aLengthOverTheLimitIsRefusedFromItsHeaderAlone() {
        var decoder = FrameDecoder(maximumPayloadLength: 16)
        decoder.append([0, 0, 0, 17] as [UInt8])
        #expect(throws: FramingError.payloadTooLong(17)) { try decoder.next() }
        #expect(throws: FramingError.payloadTooLong(17)) { try decoder.next() }
    }

    @Test func theLargestLengthOfAHeaderIsRefusedAndDoesNotOverflow() {
        var decoder = FrameDecoder(maximumPayloadLength: 16)
        decoder.append([0xFF, 0xFF, 0xFF, 0xFF] as [UInt8])
        #expect(decoder.announcedLength == Int(UInt32.max))
        #expect(throws: FramingError.payloadTooLong(Int(UInt32.max))) { try decoder.next() }
    }

    @Test func aLengthAtTheLimitIsAccepted() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 16)
        decoder.append(FrameEncoder.encode([UInt8](repeating: 7, count: 16)))
        #expect(try decoder.next().map(Array.init) == [UInt8](repeating: 7, count: 16))
    }

    @Test func framesBeforeABadOneAreStillGiven() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 16)
        decoder.append(FrameEncoder.encode([1]) + [0, 0, 1, 0])
        #expect(try decoder.next().map(Array.init) == [1])
        #expect(throws: FramingError.payloadTooLong(256)) { try decoder.next() }
    }

    @Test func theStreamMayEndOnlyBetweenFrames() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 16)
        #expect(decoder.isAtFrameBoundary)
        for byte in [0, 0, 0, 2, 1, 2] as [UInt8] {
            decoder.append([byte])
            #expect(!decoder.isAtFrameBoundary)
        }
        _ = try decoder.next()
        #expect(decoder.isAtFrameBoundary)
    }

    @Test func theAnnouncedLengthIsKnownFromTheFourthByteOn() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 1 << 20)
        decoder.append([0, 1, 0] as [UInt8])
        #expect(decoder.announcedLength == nil)
        decoder.append([0] as [UInt8])
        #expect(decoder.announcedLength == 0x1_0000)
    }

    @Test func theMemoryOfALargeFrameIsGivenBackOnceTheFrameWasTaken() throws {
        var decoder = FrameDecoder(maximumPayloadLength: 16 << 20)
        decoder.append(FrameEncoder.encode([UInt8](repeating: 1, count: 16 << 20)))
        _ = try decoder.next()
        #expect(decoder.bufferCapacity <= 64 << 10)

        // The first bytes of the next frame do not keep it either.
        decoder.append(FrameEncoder.encode([UInt8](repeating: 1, count: 16 << 20)) + [0, 0])
        _ = try decoder.next()
        #expect(decoder.bufferCapacity <= 64 << 10)
        decoder.append([0, 1, 9] as [UInt8])
        #expect(try decoder.next().map(Array.init) == [9])
    }
}
