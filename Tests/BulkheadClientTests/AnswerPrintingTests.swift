import Foundation
import JSON
import Messages
import Testing

/// What `bulkhead prompt` makes of an answer.
@Suite(.timeLimit(.minutes(2)))
struct AnswerPrintingTests {
    private static let answer = "Look:\n```swift\none()\n```\nor\n````\ntwo\n```\n````  \nbye"

    @Test(arguments: [
        (["-x"], answer, "one()\n"), (["--extract"], answer, "one()\n"), (["--xl"], answer, "two\n```\n"),
        (["--extract-last"], answer, "two\n```\n"), (["-x"], "no block", "no block\n"),
        (["-x"], "```\nnever closed\n", "```\nnever closed\n"),
        (["-x"], "````\n```c++\r\na\r\n```\r\n", "a\r\n"), (["-x"], "a ```b``` c\n```x`\n", "a ```b``` c\n```x`\n"),
        (["-x"], "```\n```\nafter", ""), (["-x"], "```\nlast line\n```", "last line\n"),
    ])
    func aFencedBlockIsPrintedAlone(arguments: [String], answer: String, output: String) async throws {
        for size in [answer.count, 1] {
            let outcome = try await Self.run(arguments, answer: answer, pieces: size)
            #expect(outcome.output == output)
        }
    }

    @Test func aFailedAnswerHasNoBlock() async throws {
        let outcome = try await Self.run(["-x"], answer: "```\nhalf\n```", error: Failure(.modelError, "no"))
        #expect(outcome.output == "")
        #expect(outcome.diagnostics == "bulkhead: model_error: no\n")
    }

    @Test(
        arguments: [
            (
                #"{"input":1234,"output":5,"details":{"cached":1024,"x":{"y":1}}}"#,
                #"1,234 input, 5 output, {"cached": 1024, "x": {"y": 1}}"#
            ),
            (#"{"input":1234567}"#, "1,234,567 input"), (#"{"input":0,"output":0}"#, "0 input, 0 output"),
            (#"{"input":100,"details":{}}"#, "100 input"), (nil, "not counted by the provider"),
        ] as [(String?, String)])
    func tokensAreShownAsLLMShowsThem(usage: String?, text: String) async throws {
        for option in ["-u", "--usage"] {
            let outcome = try await Self.run([option], answer: "hi", usage: usage)
            #expect(outcome.output == "hi\n")
            #expect(outcome.diagnostics == "Token usage: \(text)\n")
        }
        let frames = try await Self.run(["--json", "--usage"], answer: "hi", usage: usage)
        #expect(frames.diagnostics == "Token usage: \(text)\n")
    }

    @Test func whatAFailureUsedIsShownToo() async throws {
        let outcome = try await Self.run(
            ["-u"], answer: "hi", usage: #"{"input":7}"#, error: Failure(.modelError, "no"))
        #expect(outcome.diagnostics == "Token usage: 7 input\nbulkhead: model_error: no\n")
    }

    @Test func controlCharactersOfAnAnswerReachOnlyWhatIsNoTerminal() async throws {
        let evil = "a\tb\r\n\u{1B}]0;title\u{7}\u{9B}2J\rover\u{202E}\u{7F}é"
        let safe = "a\tb\r\n" + #"\x1B]0;title\x07\x9B2J\x0Dover\u{202E}\x7Fé"# + "\r\n"
        for size in [evil.unicodeScalars.count, 1, 2, 3] {
            let piped = try await Self.run([], answer: evil, pieces: size)
            #expect(piped.output == evil + "\n")
            let shown = try await Self.run([], answer: evil, pieces: size, onTerminal: true)
            // The terminal makes CR and LF of a line feed.
            #expect(shown.output == safe)
        }
        let extracted = try await Self.run(["-x"], answer: "```\n\u{1B}c\n```\n", onTerminal: true)
        #expect(extracted.output == "\\x1Bc\r\n")
        let frames = try await Self.run(["--json"], answer: "\u{9B}2J\u{1B}c", onTerminal: true)
        #expect(frames.output.contains(#"\u009B2J\u001bc"#), "\(frames.output)")
        #expect(
            frames.output.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0 != "\u{9B}" || "\r\n".unicodeScalars.contains($0)
            })
    }

    @Test func aReturnThatEndsAnAnswerIsShown() async throws {
        let shown = try await Self.run([], answer: "over\r", onTerminal: true)
        #expect(shown.output == "over\\x0D\r\n")
    }

    private struct Outcome {
        var output: String
        var diagnostics: String
    }

    /// Runs the program with a daemon that answers `answer` in pieces of so many scalars.
    private static func run(
        _ arguments: [String], answer: String, pieces: Int = 1000, usage: String? = nil, error: Failure? = nil,
        onTerminal: Bool = false
    ) async throws -> Outcome {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "hello"] + arguments, socket: daemon.path, onTerminal: onTerminal)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        var rest = Substring(answer).unicodeScalars
        while !rest.isEmpty {
            await peer.write(Answers.text(request.id, String(rest.prefix(pieces))))
            rest = rest.dropFirst(pieces)
        }
        guard case .number(let id) = request.id else { throw Unexpected() }
        let last = error.map { #""error","error":\#(String(decoding: $0.encoded, as: UTF8.self))"# } ?? #""done""#
        await peer.write(json: #"{"id":\#(id),"event":\#(last)\#(usage.map { ",\"usage\":\($0)" } ?? "")}"#)
        let outcome = Outcome(output: await run.output, diagnostics: await run.diagnostics)
        #expect(await run.status == (error == nil ? 0 : 1))
        return outcome
    }
}
