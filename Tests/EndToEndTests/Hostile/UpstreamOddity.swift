import Foundation
import TestUpstream
import Testing

/// An answer that is whole, though the way in which it comes is odd.
struct UpstreamOddity: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var text = "one "
    let respond: @Sendable (SpokenAPI) -> UpstreamResponse

    private static let stream = "content-type: text/event-stream\r\n"

    private init(_ name: String, text: String = "one ", _ respond: @escaping @Sendable (SpokenAPI) -> UpstreamResponse)
    {
        (self.testDescription, self.text, self.respond) = (name, text, respond)
    }

    /// A response that is made of `head`, and of bytes after it until the connection closes.
    private static func raw(_ head: String, _ body: [UInt8]) -> UpstreamResponse {
        UpstreamResponse(framing: .untilClose, steps: [.sendRaw(Array((head + "\r\n").utf8) + body)])
    }

    static let all: [UpstreamOddity] = [
        .init("HTTP/1.0 without a length") { raw("HTTP/1.0 200 OK\r\n" + stream, $0.stream) },
        .init("HTTP/1.0 without a length, one JSON text", text: "hello") {
            raw("HTTP/1.0 200 OK\r\n", Array($0.whole.utf8))
        },
        .init("a byte at a time") { api in
            UpstreamResponse(
                headers: [("content-type", "text/event-stream")],
                steps: [.trickle(api.stream, pauseMilliseconds: 0)])
        },
        .init("more than the length, after a whole answer", text: "hello") { api in
            raw(
                "HTTP/1.1 200 OK\r\ncontent-length: \(api.whole.utf8.count)\r\n",
                Array((api.whole + "and what nobody waits for").utf8))
        },
        .init("a second answer that nobody has asked for", text: "hello") { api in
            let other = "HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}"
            return UpstreamResponse(
                framing: .length,
                steps: [
                    .sendRaw(
                        Array(
                            "HTTP/1.1 200 OK\r\ncontent-length: \(api.whole.utf8.count)\r\n\r\n\(api.whole)\(other)"
                                .utf8))
                ])
        },
        .init("what does not end after the end") { api in
            let rest = api.hasEndMark ? [UpstreamResponse.Step.sendAgain(Array("data: x\n\n".utf8), times: .max)] : []
            return .events(api.beginning + [api.text] + api.end, then: rest)
        },
        .init("silence after the end") { api in
            .events(api.beginning + [api.text] + api.end, then: api.hasEndMark ? [.silence] : [])
        },
        .init("a reset after the end") { api in
            .events(api.beginning + [api.text] + api.end, then: api.hasEndMark ? [.reset] : [])
        },
        .init("lines that end with both, comments, fields that nobody knows, and a mark of the byte order") { api in
            let lines = String(decoding: api.stream, as: UTF8.self).replacingOccurrences(
                of: "\n", with: "\r\n: comment\r\nretry: 5\r\n")
            let ends = lines.replacingOccurrences(of: "retry: 5\r\n\r\n: comment\r\n", with: "retry: 5\r\n\r\n")
            return UpstreamResponse(
                headers: [("content-type", "text/event-stream; charset=utf-8")],
                steps: [.send([0xEF, 0xBB, 0xBF] + Array(ends.utf8))])
        },
        .init("interim responses, and fields after the body", text: "hello") { api in
            let length = String(api.whole.utf8.count, radix: 16)
            return raw(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n",
                Array("\(length)\r\n\(api.whole)\r\n0\r\nx-a: b\r\n\r\n".utf8))
        },
        .init("20,000 pieces", text: String(repeating: "one ", count: 20_001)) { api in
            .events(
                api.beginning + [api.text],
                then: [.sendAgain(Array("data: \(api.text)\n\n".utf8), times: 20_000)]
                    + api.end.map(UpstreamResponse.Step.event))
        },
    ]
}
