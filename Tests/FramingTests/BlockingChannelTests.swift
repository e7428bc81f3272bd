import BlockingChannel
import Foundation
import Framing
import Glibc
import Testing

struct BlockingChannelTests {
    private static func socketPair() throws -> (CInt, CInt) {
        var descriptors: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &descriptors) == 0)
        return (descriptors[0], descriptors[1])
    }

    private static func send(_ bytes: [UInt8], to descriptor: CInt) {
        #expect(Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count)
    }

    @Test func whatIsAppendedLeavesTogetherWhenItIsFlushed() throws {
        let (left, right) = try Self.socketPair()
        var writer = BlockingChannel(adopting: left, maximumPayloadLength: 1024)
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1 << 20)
        try writer.append([1])
        try writer.append([2])
        let isQuiet = !reader.hasInput
        #expect(isQuiet)
        try writer.flush()
        #expect(try reader.read() == [1])
        let hasBoth = !reader.hasInput
        #expect(hasBoth, "one read brought both")
        #expect(try reader.read() == [2])
        try writer.append(Array(repeating: 7, count: 64 << 10))
        let hasTheLongOne = reader.hasInput
        #expect(hasTheLongOne, "so much is not gathered")
    }

    @Test func framesArriveAsTheyWereWritten() throws {
        let (left, right) = try Self.socketPair()
        var writer = BlockingChannel(adopting: left, maximumPayloadLength: 1024)
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        try writer.write(Array("{}".utf8))
        try writer.write([])
        try writer.write([UInt8](repeating: 7, count: 1024))
        #expect(try reader.read() == Array("{}".utf8))
        #expect(try reader.read() == [])
        #expect(try reader.read() == [UInt8](repeating: 7, count: 1024))
    }

    @Test func aFrameLargerThanTheKernelsBufferArrivesWhole() throws {
        let (left, right) = try Self.socketPair()
        let payload = (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let thread = Thread {
            var writer = BlockingChannel(adopting: left, maximumPayloadLength: 1024)
            try? writer.write(payload)
            try? writer.write([1])
        }
        thread.start()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: payload.count)
        #expect(try reader.read() == payload)
        #expect(try reader.read() == [1])
        #expect(try reader.read() == nil)
    }

    @Test func theEndBetweenFramesIsTheEnd() throws {
        let (left, right) = try Self.socketPair()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        Self.send(FrameEncoder.encode([1, 2]), to: left)
        close(left)
        #expect(try reader.read() == [1, 2])
        #expect(try reader.read() == nil)
        #expect(try reader.read() == nil)
    }

    @Test(arguments: [[0], [0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 2, 1]] as [[UInt8]])
    func theEndInsideAFrameIsAnError(_ bytes: [UInt8]) throws {
        let (left, right) = try Self.socketPair()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        Self.send(bytes, to: left)
        close(left)
        #expect(throws: ChannelError.endInsideFrame) { try reader.read() }
    }

    @Test func aFrameLongerThanAllowedIsAnErrorFromItsHeader() throws {
        let (left, right) = try Self.socketPair()
        defer { close(left) }
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 16)
        Self.send(FrameEncoder.encode([9]) + [0, 0, 0, 17], to: left)
        #expect(try reader.read() == [9])
        #expect(throws: ChannelError.framing(.payloadTooLong(17))) { try reader.read() }
        #expect(throws: ChannelError.framing(.payloadTooLong(17))) { try reader.read() }
    }

    @Test func readIfAvailableNeverWaits() throws {
        let (left, right) = try Self.socketPair()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        let isQuietAtFirst = !reader.hasInput
        #expect(isQuietAtFirst)
        #expect(try reader.readIfAvailable() == nil)
        Self.send([0, 0, 0, 2, 1], to: left)
        #expect(try reader.readIfAvailable() == nil)
        Self.send([2] + FrameEncoder.encode([3]), to: left)
        let hasTheRest = reader.hasInput
        #expect(hasTheRest)
        #expect(try reader.readIfAvailable() == [1, 2])
        // The second frame came with the same read: nothing is left in the kernel.
        let isQuietAfterBoth = !reader.hasInput
        #expect(isQuietAfterBoth)
        #expect(try reader.readIfAvailable() == [3])
        #expect(try reader.readIfAvailable() == nil)
        close(left)
        let hasTheEnd = reader.hasInput
        #expect(hasTheEnd)
        #expect(try reader.readIfAvailable() == nil)
        #expect(try reader.read() == nil)
    }

    @Test func readIfAvailableLeavesAnEndInsideAFrameToRead() throws {
        let (left, right) = try Self.socketPair()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        Self.send([0, 0], to: left)
        close(left)
        #expect(try reader.readIfAvailable() == nil)
        #expect(throws: ChannelError.endInsideFrame) { try reader.read() }
    }

    @Test func writingToAPeerThatIsGoneIsAnErrorAndNoSignal() throws {
        let (left, right) = try Self.socketPair()
        var writer = BlockingChannel(adopting: left, maximumPayloadLength: 1024)
        close(right)
        let error = #expect(throws: ChannelError.self) { try writer.write([1]) }
        #expect(error == .system(operation: "write", errno: EPIPE))
        #expect(error?.description.hasPrefix("write: ") == true)
    }

    @Test func theDescriptorIsClosedWithTheChannel() throws {
        let (left, right) = try Self.socketPair()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        do { _ = BlockingChannel(adopting: left, maximumPayloadLength: 1024) }
        #expect(try reader.read() == nil)
    }

    @Test func aWriteOfAFrameThatWaitsIsFinishedByTheReader() throws {
        let (left, right) = try Self.socketPair()
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            var writer = BlockingChannel(adopting: left, maximumPayloadLength: 1024)
            for number in 0..<2_000 {
                try? writer.write([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1000))
            }
            done.signal()
        }
        thread.start()
        var reader = BlockingChannel(adopting: right, maximumPayloadLength: 1024)
        for number in 0..<2_000 {
            #expect(try reader.read() == [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1000))
        }
        #expect(done.wait(timeout: .now() + 60) == .success)
    }
}
