import Foundation
import Framing
import JSON
import Testing

extension EndToEnd {
    /// A real daemon answers every conversation of proto/transcripts as it stands there (PROTOCOL.md, "Transcripts").
    @Suite struct Transcripts {
        private static let folder = Checkout.root.appending(path: "proto/transcripts")
        private static let names: [String] =
            ((try? FileManager.default.contentsOfDirectory(atPath: Self.folder.path)) ?? []).filter {
                $0.hasSuffix(".jsonl")
            }
            .sorted()

        @Test func thereAreTranscripts() { #expect(Self.names.count > 10) }

        @Test(arguments: Self.names)
        func theDaemonAnswersAsTheTranscriptSays(name: String) throws {
            let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
            let lines = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            let daemon: Daemon
            switch try #require(lines.first?["needs"]?.string) {
            case "echo": daemon = try Daemon()
            case "echo-fault": daemon = try Daemon("testing: true\nproviders: {echo-fault: {}}")
            case let needs: throw UnknownNeed(name: needs)
            }
            try Conversation(wire: Wire(daemon.socket)).play(lines.dropFirst())
            let wire = try Wire(daemon.socket)
            try wire.send(#"{"id":1,"op":"ping"}"#)
            #expect(try wire.next()["event"]?.string == "done", "the daemon serves on")
        }

        struct UnknownNeed: Error { let name: String }
    }
}

/// One connection that follows a transcript.
private struct Conversation {
    let wire: Wire
    /// Frames that have come before the transcript has come to them, by their ids.
    private var early: [JSONValue: [JSONValue]] = [:]

    init(wire: Wire) { self.wire = wire }

    func play(_ lines: some Sequence<JSONValue>) throws {
        var conversation = self
        for line in lines { try conversation.play(line) }
    }

    private mutating func play(_ line: JSONValue) throws {
        if let payload = line["client"] {
            try self.wire.send(payload.text())
        } else if let hexadecimal = line["client_bytes"]?.string {
            try self.wire.sendBytes(try Self.bytes(hexadecimal))
        } else if let expected = line["daemon"] {
            let frame = try self.next(try #require(expected["id"], "\(line.text())"), for: expected)
            #expect(frame.isAsShown(in: expected), "\(frame.text()) came, where the transcript has \(expected.text())")
        } else {
            let isAllShown = self.early.values.allSatisfy(\.isEmpty)
            #expect(isAllShown, "frames that are not in the transcript: \(self.early)")
            switch try #require(line["closes"]?.string, "\(line.text())") {
            case "daemon": #expect(try self.wire.receive() == nil, "the daemon closes the connection")
            default: #expect(!self.wire.hasInput(milliseconds: 0), "a frame that is not in the transcript")
            }
        }
    }

    /// The next frame under an id: those of other ids may come before it.
    private mutating func next(_ id: JSONValue, for expected: JSONValue) throws -> JSONValue {
        while self.early[id, default: []].isEmpty {
            let frame = try #require(try self.wire.receive(), "the connection closed instead of \(expected.text())")
            self.early[frame["id"] ?? .null, default: []].append(frame)
        }
        return self.early[id]!.removeFirst()
    }

    private static func bytes(_ hexadecimal: String) throws -> [UInt8] {
        let digits = try hexadecimal.map { try #require($0.hexDigitValue) }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

extension JSONValue {
    /// Whether this has everything that `shown` has, with any value in the place of a placeholder.
    fileprivate func isAsShown(in shown: JSONValue) -> Bool {
        switch shown {
        case .string("<ulid>"):
            self.string.map { $0.utf8.count == 26 && $0.allSatisfy("0123456789abcdefghjkmnpqrstvwxyz".contains) }
                ?? false
        case .string("<integer>"): self.integer.map { $0 >= 0 } ?? false
        case .string("<text>"): self.string != nil
        case .string("<integers>"): self.array.map { $0.allSatisfy { $0.integer != nil } } ?? false
        case .string("<models>"): self.array?.isEmpty == false
        case .string("<status>"): self["pid"]?.integer != nil
        case .object(let members):
            self.members != nil && members.allSatisfy { self[$0.name]?.isAsShown(in: $0.value) ?? false }
        case .array(let elements):
            self.array?.count == elements.count && zip(self.array ?? [], elements).allSatisfy { $0.isAsShown(in: $1) }
        case .string, .number, .bool, .null: self == shown
        }
    }
}
