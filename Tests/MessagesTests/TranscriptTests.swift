import Framing
import JSON
import Messages
import Testing

/// The conversations of proto/transcripts.
struct TranscriptTests {
    static let names: [String] = {
        do {
            return try ProtocolFolder.names(in: "transcripts")
        } catch {
            Issue.record(error, "proto/transcripts cannot be read")
            return []
        }
    }()

    @Test(arguments: names)
    func everyFrameIsOneOfTheProtocolsAndEveryRequestEndsOnce(_ name: String) throws {
        let lines = try ProtocolFolder.text("transcripts/\(name)").split(separator: "\n").map {
            try JSONValue(parsing: String($0))
        }
        let heading = try #require(lines.first)
        #expect(heading["transcript"]?.string?.isEmpty == false)
        #expect(["echo", "echo-fault"].contains(heading["needs"]?.string))
        #expect(lines.last?["closes"] != nil)

        let schema = JSONSchema(root: try ProtocolFolder.json("schemas/client.schema.json"))
        var open: Set<RequestIdentifier> = []
        var isLastWord = false
        for line in lines.dropFirst() {
            #expect(line.members?.count == 1)
            if let payload = line["client"] {
                if let id = try Self.readRequest(payload, schema) { open.insert(id) }
            } else if let payload = line["daemon"] {
                #expect(!isLastWord, "\(payload.text()) comes after the connection failed")
                let event = try ClientEvent(decoding: Self.filled(payload).serialized())
                #expect(Self.fitsOneEvent(Self.filled(payload), schema), "\(payload.text())")
                guard let id = event.id else {
                    isLastWord = true
                    continue
                }
                #expect(open.contains(id), "\(payload.text()) answers no open request")
                if event.isLast { open.remove(id) }
            } else if let hex = line["client_bytes"]?.string {
                try Self.expectRefused(try #require(hexadecimalBytes(hex)))
            } else {
                let side = try #require(line["closes"]?.string)
                #expect(side == (isLastWord ? "daemon" : "client"))
            }
        }
        #expect(isLastWord || open.isEmpty, "\(open) have no last frame")
    }

    /// Bytes that a transcript shows as they are do not make a request.
    private static func expectRefused(_ bytes: [UInt8]) throws {
        var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.clientFrame)
        decoder.append(bytes)
        do throws(FramingError) {
            let payload = try decoder.next().map(Array.init)
            #expect(throws: ClientRequestError.self) { try ClientRequest(decoding: try #require(payload)) }
        } catch { return }
    }

    /// The id under which a request is answered; `nil` where the connection fails for it.
    private static func readRequest(_ payload: JSONValue, _ schema: JSONSchema) throws -> RequestIdentifier? {
        do throws(ClientRequestError) {
            let request = try ClientRequest(decoding: payload.serialized())
            let isDescribed = [
                "PromptRequest", "EmbedRequest", "CancelRequest", "GroupBeginRequest", "GroupEndRequest",
                "ModelsRequest", "PurposesRequest", "WhoamiRequest", "ExplainRequest", "StatusRequest",
                "ReloadRequest", "PingRequest",
            ].contains { schema.problems(of: payload, as: $0).isEmpty }
            #expect(isDescribed, "\(payload.text())")
            return request.id
        } catch { return error.id }
    }

    private static func fitsOneEvent(_ payload: JSONValue, _ schema: JSONSchema) -> Bool {
        [
            "StartEvent", "TextEvent", "ReasoningEvent", "ToolCallEvent", "DoneEvent", "EmbedDone", "ModelsDone",
            "PurposesDone", "WhoamiDone", "ExplainDone", "StatusDone",
            "PingDone", "CancelDone", "GroupBeginDone", "GroupEndDone",
            "ErrorEvent",
        ].contains { schema.problems(of: payload, as: $0).isEmpty }
    }

    /// The payload with a value in each of its placeholders.
    private static func filled(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string("<ulid>"): .string("01k9x3g6ncw7jv0q8r6m2t5y4b")
        case .string("<integer>"): .integer(0)
        case .string("<models>"), .string("<integers>"): .array([])
        case .string("<status>"): (try? ProtocolFolder.json("examples/StatusDone/healthy.json"))?["status"] ?? .null
        case .array(let elements): .array(elements.map(Self.filled))
        case .object(let members): .object(members.map { .init($0.name, Self.filled($0.value)) })
        case .string, .number, .bool, .null: value
        }
    }
}
