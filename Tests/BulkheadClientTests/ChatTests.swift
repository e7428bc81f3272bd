import Foundation
import JSON
import Messages
import Testing

/// `bulkhead chat`.
@Suite(.timeLimit(.minutes(2)))
struct ChatTests {
    @Test func everyLineIsAPromptOfOneConversation() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(
            ["chat", "-m", "echo", "-s", "Be brief", "-o", "n", "2"], socket: daemon.path,
            input: "one\n\n  \ntwo\r\n!multi\na\n\n!end of it\n!end\n!multi x\n!end\n!end x\nquit\nnever\n")
        let peer = try await daemon.accept()
        for (text, conversation) in [("one", nil), ("two", "c1"), ("a\n\n!end of it", "c1"), ("!end", "c1")] {
            let (id, prompt) = try await Self.prompt(of: peer)
            #expect(prompt.prompt == JSONValue.string(text).serialized())
            #expect(prompt.conversation == conversation)
            #expect(prompt.model == "echo" && prompt.system == Array(#""Be brief""#.utf8))
            #expect(prompt.options == Array(#"{"n":2}"#.utf8))
            #expect(prompt.messages == nil)
            await peer.write(Answers.text(.number(id), "answer"))
            await peer.write(json: #"{"id":\#(id),"event":"done","conversation":"c1"}"#)
        }
        #expect(await run.output == "answer\nanswer\nanswer\nanswer\n")
        #expect(await run.diagnostics == "To go on: bulkhead chat --cid c1\n")
        #expect(await run.status == 0)
        #expect(try await peer.read() == nil, "all on one connection, and nothing after 'quit'")
    }

    @Test func aConversationThatIsNamedIsContinued() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "--cid", "c7"], socket: daemon.path, input: "more")
        let peer = try await daemon.accept()
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.conversation == "c7")
        await peer.write(json: #"{"id":\#(id),"event":"done","conversation":"c7"}"#)
        #expect(await run.status == 0)
    }

    @Test func theNewestConversationIsContinued() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "-c"], socket: daemon.path, input: "more\n")
        let peer = try await daemon.accept()
        let logs = try #require(try await peer.read())
        guard case .logs = logs.operation, case .number(let number) = logs.id else { throw Unexpected() }
        let row = #"{"id":"i","model":"m","started_at_ms":1,"conversation":"c1","prompt":"p","response":"r"}"#
        await peer.write(json: #"{"id":\#(number),"event":"done","logs":[\#(row)]}"#)
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.conversation == "c1")
        await peer.write(json: #"{"id":\#(id),"event":"done","conversation":"c1"}"#)
        #expect(await run.status == 0)
    }

    @Test func anErrorOfOnePromptDoesNotEndTheChat() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat"], socket: daemon.path, input: "one\ntwo\n!edit\n!end\nthree\n")
        let peer = try await daemon.accept()
        let (one, _) = try await Self.prompt(of: peer)
        // The conversation of a prompt that fails is not on record.
        await peer.write(
            json: #"{"id":\#(one),"event":"start","request":"r","model":"m","provider":"p","conversation":"lost"}"#)
        await peer.write(Answers.text(.number(one), "half"), Answers.error(.number(one), .overloaded, "later"))
        let (two, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.conversation == nil)
        await peer.write(json: #"{"id":\#(two),"event":"done","conversation":"c2"}"#)
        let (three, last) = try await Self.prompt(of: peer)
        #expect(last.conversation == "c2")
        await peer.write(json: #"{"id":\#(three),"event":"done","conversation":"c2"}"#)
        #expect(await run.output == "half\n")
        #expect(
            await run.diagnostics == """
                bulkhead: overloaded: later
                bulkhead: there is no '!edit' here; '!multi' takes several lines
                bulkhead: '!end' ends what '!multi' began, and nothing has begun
                To go on: bulkhead chat --cid c2

                """)
        #expect(await run.status == 75, "whoever pipes prompts in learns that one failed")
    }

    @Test func aDaemonThatIsGoneIsConnectedToAgain() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat"], socket: daemon.path, input: "one\ntwo\nthree\n")
        let first = try await daemon.accept()
        let (one, _) = try await Self.prompt(of: first)
        await first.write(json: #"{"id":\#(one),"event":"done","conversation":"c1"}"#)
        _ = try await Self.prompt(of: first)
        first.close()
        let second = try await daemon.accept()
        let (three, prompt) = try await Self.prompt(of: second)
        #expect(prompt.prompt == Array(#""three""#.utf8) && prompt.conversation == "c1")
        await second.write(Answers.text(.number(three), "back"), Answers.done(.number(three)))
        #expect(await run.output == "back\n")
        #expect(await run.diagnostics.hasPrefix("bulkhead: the daemon closed the connection"))
        #expect(await run.status == 75)
    }

    @Test func whatTheDaemonDoesNotKeepTheChatRepeats() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat"], socket: daemon.path, input: "one\ntwo\nthree\n")
        let peer = try await daemon.accept()
        var expected: [ModelMessage] = []
        for text in ["one", "two", "three"] {
            let (id, prompt) = try await Self.prompt(of: peer)
            let messages = try prompt.messages.map { try ModelMessage.list(try JSONValue(parsing: $0)) } ?? []
            #expect(messages == expected)
            await peer.write(
                Answers.text(.number(id), "re: "), Answers.text(.number(id), text), Answers.done(.number(id)))
            expected += [ModelMessage(.user, text: text), ModelMessage(.assistant, text: "re: " + text)]
        }
        #expect(await run.diagnostics == "", "there is nothing to go on with")
        #expect(await run.status == 0)
    }

    @Test func aDaemonThatCannotBeReachedEndsItBeforeItBegins() async throws {
        let run = try ProgramRun(["chat"], socket: "/nowhere/bulkhead.sock", input: "one\n")
        #expect(await run.status == 69)
    }

    @Test func linesThatNothingEndsAreNotSent() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat"], socket: daemon.path, input: "!multi\none\ntwo\n")
        let peer = try await daemon.accept()
        #expect(try await peer.read() == nil)
        #expect(await run.diagnostics == "bulkhead: the input ended before '!end'; 2 lines were not sent\n")
        #expect(await run.status == 64)
    }

    @Test(arguments: [["chat", "text"], ["chat", "-c", "--cid", "c1"], ["chat", "-a", "x"], ["chat", "-o", "x"]])
    func aWrongCommandLineIsRefused(arguments: [String]) async throws {
        let run = try ProgramRun(arguments, socket: "/nowhere/bulkhead.sock")
        #expect(await run.status == 64)
    }

    // MARK: Signals

    @Test func anInterruptCancelsTheAnswerAndKeepsTheChat() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "--cid", "c1"], socket: daemon.path, input: nil)
        let peer = try await daemon.accept()
        try run.type("one\n")
        for _ in 1...2 {
            let (id, prompt) = try await Self.prompt(of: peer)
            #expect(prompt.conversation == "c1")
            await peer.write(Answers.text(.number(id), "half"))
            run.signal(SIGINT)
            #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
            await peer.write(Answers.error(.number(id), .cancelled, "as you wish"))
            try run.type("next\n")
        }
        let (id, _) = try await Self.prompt(of: peer)
        await peer.write(Answers.text(.number(id), "whole"), Answers.done(.number(id)))
        try run.endInput()
        #expect(await run.output == "half\nhalf\nwhole\n")
        #expect(await run.diagnostics == "To go on: bulkhead chat --cid c1\n")
        #expect(await run.status == 0)
    }

    @Test(arguments: [(SIGINT, 0), (SIGTERM, 143)] as [(CInt, CInt)])
    func aSignalBetweenPromptsEndsTheChat(signal: CInt, status: CInt) async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat"], socket: daemon.path, input: nil)
        let peer = try await daemon.accept()
        try run.type("one\ntwo\n")
        let (one, _) = try await Self.prompt(of: peer)
        await peer.write(json: #"{"id":\#(one),"event":"done","conversation":"c1"}"#)
        let (two, _) = try await Self.prompt(of: peer)
        // The answer has ended for the chat only when it has said so: then it reads again.
        await peer.write(Answers.error(.number(two), .modelError, "no"))
        try await run.waitForDiagnostics("bulkhead: model_error: no\n")
        run.signal(signal)
        #expect(await run.diagnostics == "bulkhead: model_error: no\nTo go on: bulkhead chat --cid c1\n")
        #expect(await run.status == status)
    }

    @Test func aSecondInterruptEndsTheChatThoughTheDaemonIsSilent() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "--cid", "c1"], socket: daemon.path, input: nil)
        let peer = try await daemon.accept()
        try run.type("one\n")
        let (id, _) = try await Self.prompt(of: peer)
        run.signal(SIGINT)
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
        run.signal(SIGINT)
        #expect(await run.diagnostics == "To go on: bulkhead chat --cid c1\n")
        #expect(await run.status == 128 + SIGINT)
    }

    @Test func aClosedOutputEndsTheChatQuietly() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat"], socket: daemon.path, input: "one\ntwo\n", closesOutput: true)
        let peer = try await daemon.accept()
        let (id, _) = try await Self.prompt(of: peer)
        await peer.write(Answers.text(.number(id), "nobody reads this"))
        #expect(await run.status == 128 + SIGPIPE)
    }

    // MARK: On a terminal

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: ProgramRun.script), "script(1) is not here"))
    func onATerminalCtrlCAndCtrlDMeanWhatTheyShould() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "-m", "echo"], socket: daemon.path, input: nil, isInteractive: true)
        let peer = try await daemon.accept()
        try await run.waitForOutput("or '!multi' for several lines and then '!end'.\r\n> ")
        try run.type("one\n")
        let (one, _) = try await Self.prompt(of: peer)
        await peer.write(Answers.text(.number(one), "\u{1B}[2Jhalf"))
        try await run.waitForOutput(#"\x1B[2Jhalf"#)
        try run.type("\u{3}")
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(one)))
        await peer.write(Answers.error(.number(one), .cancelled, "as you wish"))
        try await run.waitForOutput("half^C\r\n> ")
        try run.type("!multi\ndropped\n")
        try await run.waitForOutput("dropped\r\n")
        // What was echoed may not have been read: this line has been, once the next one is asked.
        try run.type("!end\n")
        let (dropped, _) = try await Self.prompt(of: peer)
        await peer.write(json: #"{"id":\#(dropped),"event":"done","conversation":"c1"}"#)
        try await run.waitForOutput("!end\r\n> ")
        try run.type("\u{4}")
        #expect(await run.status == 0)
        #expect(await run.output.hasPrefix("Chatting with echo.\r\nType 'exit'"))
        #expect(await run.output.hasSuffix("> \r\nTo go on: bulkhead chat --cid c1\r\n"))
    }

    private static func prompt(of peer: Peer) async throws -> (Int64, PromptRequest) {
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation, case .number(let id) = request.id else {
            throw Unexpected()
        }
        return (id, prompt)
    }
}
