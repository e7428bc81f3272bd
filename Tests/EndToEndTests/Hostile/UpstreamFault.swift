import Foundation
import TestUpstream
import Testing

/// Something that a provider does wrong, and what has to come of it.
struct UpstreamFault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var code = "provider_invalid_response"
    /// What the error's message holds.
    let message: String
    /// Whether it comes after a piece of text, which stands.
    var isAfterText = false
    /// Whether only a timeout ends it.
    var isSilent = false
    let respond: @Sendable (SpokenAPI) -> UpstreamResponse

    var isRetryable: Bool { self.code != "provider_rejected" }

    private init(
        _ name: String, _ message: String, code: String = "provider_invalid_response",
        _ respond: @escaping @Sendable (SpokenAPI) -> UpstreamResponse
    ) {
        (self.testDescription, self.message, self.code, self.respond) = (name, message, code, respond)
    }

    /// A fault after a piece of text.
    private static func afterText(
        _ name: String, _ message: String, _ steps: UpstreamResponse.Step...
    ) -> UpstreamFault {
        var fault = UpstreamFault(name, message) { $0.afterText(steps) }
        fault.isAfterText = true
        return fault
    }

    /// A fault that replaces the response altogether.
    private static func raw(
        _ name: String, _ message: String, code: String = "provider_invalid_response", _ bytes: String,
        then steps: UpstreamResponse.Step...
    ) -> UpstreamFault {
        UpstreamFault(name, message, code: code) { _ in
            UpstreamResponse(framing: .untilClose, steps: [.sendRaw(Array(bytes.utf8))] + steps)
        }
    }

    private var silent: UpstreamFault {
        var fault = self
        fault.isSilent = true
        fault.code = "timeout"
        return fault
    }

    private static func text(_ text: String) -> UpstreamResponse.Step { .send(Array(text.utf8)) }

    // MARK: In the middle of a stream

    static let inStreams: [UpstreamFault] = [
        .afterText("a reset", "broke in its middle", .reset),
        .afterText("an end in the middle", "broke in its middle", .close),
        .afterText(
            "half an event, then the end of the body", "the text ends too early", text(#"data: {"choices":[{"del"#)),
        .afterText("half an event, then the connection's end", "broke", text(#"data: {"choices":[{"del"#), .close),
        .afterText("an end of the body without an end of the answer", "ended before the answer did"),
        .afterText(
            "invalid UTF-8", "invalid UTF-8", .send(Array(#"data: {"a":""#.utf8) + [0xC3, 0x28, 0x22, 0x7D, 10, 10])),
        .afterText("an event that is no JSON", "unexpected character", text("data: hello\n\n")),
        .afterText(
            "a line of 10 MB", "longer than", text("data: "),
            .sendAgain([UInt8](repeating: 0x61, count: 10_000), times: 1000)
        ),
        .afterText(
            "an event of a million lines", "longer than", .sendAgain(Array("data: 1234567\n".utf8), times: 1_000_000)),
        .afterText("a chunk without a length", "broke in its middle", .sendRaw(Array("zz\r\nhello\r\n".utf8))),
        .afterText(
            "a chunk that is longer than it says", "broke in its middle", .sendRaw(Array("5\r\n: hello world\r\n".utf8))
        ),
        .afterText("silence", "idle timeout", .silence).silent,
        .afterText("comments without end", "idle timeout", .sendAgain(Array(": still there\n\n".utf8), times: .max))
            .silent,
        .afterText("one comment after another", "idle timeout", .sendAgain(Array(": there\n".utf8), times: .max))
            .silent,
        .afterText(
            "a comment now and then", "idle timeout",
            .trickle([UInt8](repeating: 0x3A, count: 1 << 20), pauseMilliseconds: 20)
        ).silent,
        .afterText(
            "events without data, without end", "idle timeout", .sendAgain(Array("event: ping\n\n".utf8), times: .max)
        )
        .silent,
        .afterText(
            "events with nothing in them, without end", "idle timeout", .sendAgain(Array("data:\n\n".utf8), times: .max)
        )
        .silent,
        .afterText(
            "an event that never ends", "idle timeout",
            .trickle(Array("data: ".utf8) + [UInt8](repeating: 0x61, count: 1 << 20), pauseMilliseconds: 20)
        ).silent,
    ]

    // MARK: Before anything was said

    private static let longLine = [UInt8](repeating: 0x61, count: 100_000)

    static let inHeads: [UpstreamFault] = [
        .raw(
            "100 MB of headers", "header is longer", "HTTP/1.1 200 OK\r\n",
            then: .sendAgain(Array("x-a: ".utf8) + longLine.prefix(990) + Array("\r\n".utf8), times: 100_000)),
        .raw(
            "a header of 100 MB", "header is longer", "HTTP/1.1 200 OK\r\nx-a: ",
            then: .sendAgain(longLine, times: 1000)),
        .raw(
            "interim responses without end", "header is longer", "",
            then: .sendAgain(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), times: .max)),
        .raw(
            "another protocol", "changes to another protocol",
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            then: .sendAgain(longLine, times: .max)),
        .raw("no HTTP", "not a response of HTTP", "hello\r\n\r\n"),
        .raw("an encrypted answer to a plain request", "not a response of HTTP", "\u{16}\u{3}\u{1}\u{0}\u{1}"),
        .raw("an end before any answer", "broke", code: "provider_unreachable", ""),
        .raw(
            "a head without an end", "closed inside of the response's header", code: "provider_unreachable",
            "HTTP/1.1 200 OK\r\ncontent-type: te"),
        .raw("a negative length", "Invalid Content-Length", "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}"),
        .raw(
            "two lengths", "broke in its middle", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 20\r\n\r\n{}"
        ),
        .raw(
            "a length beyond all numbers", "it has no",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}"),
        .raw("silence instead of a head", "first_output", "", then: .silence).silent,
        .raw(
            "a head byte by byte", "first_output", "HTTP/1.1 200 OK\r\nx-a: ",
            then: .trickle(longLine, pauseMilliseconds: 20)
        ).silent,
        .raw(
            "the extension of a chunk without end", "first_output",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;", then: .sendAgain(longLine, times: .max)
        ).silent,
    ]

    static let inBodies: [UpstreamFault] = [
        .init("a page of HTML", "check the provider's base_url. It begins: <!doctype html>") { _ in
            UpstreamResponse(
                headers: [("content-type", "text/html")], steps: [text("<!doctype html><title>Welcome</title>")])
        },
        .init("half a JSON text", "the text ends too early") { .json(String($0.whole.dropLast(5))) },
        .init("less than the length", "broke in its middle") { api in
            UpstreamResponse(
                framing: .untilClose,
                steps: [.sendRaw(Array("HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n\(api.whole)".utf8))])
        },
        .init("more than the length", "the text ends too early") { api in
            UpstreamResponse(
                framing: .untilClose,
                steps: [.sendRaw(Array("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n\(api.whole)".utf8))])
        },
        .init("a stream that is longer than its length", "the text ends too early") { api in
            UpstreamResponse(
                framing: .untilClose,
                steps: [
                    .sendRaw(
                        Array("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10\r\n\r\n".utf8)
                            + api.stream)
                ])
        },
        .init("a body of 100 MB", "longer than") { _ in
            .init(headers: [("content-type", "application/json")], steps: [.sendAgain(longLine, times: 1000)])
        },
        .init("brackets without end", "nested too deep") { _ in
            .init(
                headers: [("content-type", "application/json")],
                steps: [.sendAgain([UInt8](repeating: 0x5B, count: 10_000), times: 1000)])
        },
        .init("a million values", "too many values") { _ in
            .init(
                headers: [("content-type", "application/json")],
                steps: [text("["), .sendAgain(Array("[],".utf8), times: 1_000_000), text("0]")])
        },
        .init("fields after the body without end", "header is longer") { api in
            .init(
                framing: .untilClose,
                steps: [
                    .sendRaw(
                        Array(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\(String(api.whole.utf8.count, radix: 16))\r\n\(api.whole)\r\n0\r\n"
                                .utf8)), .sendAgain(Array("x-a: b\r\n".utf8), times: .max),
                ])
        },
    ]

    // MARK: Compression

    /// 100 MB of zeros in 100 kB.
    private static let bomb: [UInt8] = {
        let zeros = try? ProgramRun(
            URL(filePath: "/bin/sh"), ["-c", "head -c 100000000 /dev/zero | gzip -c | base64 -w 0"],
            environment: ["PATH": "/usr/bin:/bin"])
        guard (try? zeros?.status()) == 0, let data = Data(base64Encoded: zeros?.output ?? "") else { return [] }
        return Array(data)
    }()

    static let compressed: [UpstreamFault] =
        ["application/json", "text/event-stream"].flatMap { type in
            [
                UpstreamFault("100 MB in 100 kB, \(type)", "it is compressed ('gzip')") { _ in
                    UpstreamResponse(
                        headers: [("content-type", type), ("content-encoding", "gzip")], steps: [.send(Self.bomb)])
                },
                UpstreamFault("100 MB in 100 kB on their way, \(type)", "the response's transfer encoding") { _ in
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
                    let chunk = Array("\(String(Self.bomb.count, radix: 16))\r\n".utf8) + Self.bomb
                    return UpstreamResponse(
                        framing: .untilClose, steps: [.sendRaw(Array(head.utf8) + chunk + Array("\r\n0\r\n\r\n".utf8))])
                },
            ]
        } + [
            UpstreamFault("a compressed error", "HTTP 500: no message", code: "provider_error") { _ in
                UpstreamResponse(status: 500, headers: [("content-encoding", "gzip")], steps: [.send(Self.bomb)])
            }
        ]

    // MARK: Redirects

    static func redirect(_ status: Int, to location: String) -> UpstreamFault {
        UpstreamFault(
            "\(status) to \(location)", "redirects are not followed; check the provider's base_url (it points to ",
            code: "provider_rejected"
        ) { _ in .json("{}", status: status, headers: [("Location", location)]) }
    }
}
