import Testing

@testable import Providers

@Suite struct ServerSentEventTests {
    private static func events(_ stream: [UInt8], pieces sizes: [Int]) throws -> [ServerSentEvent] {
        var reader = ServerSentEventReader()
        var events: [ServerSentEvent] = []
        var start = 0
        for size in sizes {
            reader.append(Array(stream[start..<start + size]))
            start += size
            while let event = try reader.next() { events.append(event) }
        }
        if let event = reader.finish() { events.append(event) }
        return events
    }

    private static func event(_ data: String, name: String? = nil) -> ServerSentEvent {
        ServerSentEvent(name: name, data: Array(data.utf8))
    }

    private static let stream = Array(
        ("\u{FEFF}data: one\n\n: a comment\r\n\r\nevent: error\r\ndata:two\r\ndata:  three\r\n\r\n"
            + "id: 7\rretry: 5\rdata: fôur\r\rdata\n\n\n\nevent: nothing\n\ndata: {\"a\":1}\nunknown: field\n\n").utf8)

    private static let expected = [
        event("one"), event("two\n three", name: "error"), event("fôur"), event(""), event("{\"a\":1}"),
    ]

    @Test func everyLineEndingAndEveryFieldIsRead() throws {
        #expect(try Self.events(Self.stream, pieces: [Self.stream.count]) == Self.expected)
    }

    @Test func theStreamMayBeCutAtEveryByte() throws {
        for cut in 0...Self.stream.count {
            #expect(
                try Self.events(Self.stream, pieces: [cut, Self.stream.count - cut]) == Self.expected, "cut at \(cut)")
        }
        let bytes = [Int](repeating: 1, count: Self.stream.count)
        #expect(try Self.events(Self.stream, pieces: bytes) == Self.expected)
    }

    @Test func aLastEventWithoutItsBlankLineIsGiven() throws {
        let stream = Array("data: a\n\ndata: {\"b".utf8)
        #expect(try Self.events(stream, pieces: [stream.count]) == [Self.event("a"), Self.event("{\"b")])
    }

    @Test func anEventOverTheBoundIsRefused() throws {
        var reader = ServerSentEventReader()
        reader.append(
            Array("data: ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: ServerSentEventReader.eventBound))
        #expect(throws: EventTooLong()) { try reader.next() }

        var lines = ServerSentEventReader()
        let line = Array("data: ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20) + Array("\n".utf8)
        #expect(throws: EventTooLong()) {
            for _ in 0..<5 {
                lines.append(line)
                _ = try lines.next()
            }
        }
    }

    @Test func manyEventsOfModerateLengthAreNoLongEvent() throws {
        var reader = ServerSentEventReader()
        let event = Array("data: ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20) + Array("\n\n".utf8)
        for _ in 0..<6 {
            reader.append(event)
            #expect(try reader.next()?.data.count == 1 << 20)
            #expect(try reader.next() == nil)
        }
    }
}
