import BulkheadClient
import Foundation
import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ConversationTests {
    // MARK: The library

    @Test func bothEndsOfAnAnswerNameItsConversation() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let answer = client.prompt(PromptRequest(prompt: "more", conversation: "c0"))
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.conversation == "c0")
        await peer.write(
            json: #"{"id":\#(id),"event":"start","request":"r","model":"m","provider":"p","conversation":"c1"}"#,
            #"{"id":\#(id),"event":"text","text":"t"}"#, #"{"id":\#(id),"event":"done","conversation":"c1"}"#)
        var conversations: [String?] = []
        for try await event in answer { conversations.append(event.conversation) }
        #expect(conversations == ["c1", nil, "c1"])
    }

    @Test func theNewestConversationIsThatOfTheUsersOwnNewestPrompt() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        async let conversation = client.newestConversation()
        // A page may be empty though there are more.
        for (before, rows) in [(nil, ""), ("9", Self.row)] {
            let (id, logs) = try await Self.logs(of: peer)
            #expect(logs.own)
            #expect(logs.limit == 1)
            #expect(logs.before == before)
            await peer.write(json: #"{"id":\#(id),"event":"done","logs":[\#(rows)],"next":"9"}"#)
        }
        #expect(try await conversation == "c1")
    }

    // MARK: The program

    @Test(arguments: [["-c", "more"], ["prompt", "--continue", "more"], ["-m", "echo", "more", "-c"]])
    func theNewestConversationIsContinued(arguments: [String]) async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path)
        let peer = try await daemon.accept()
        let (question, logs) = try await Self.logs(of: peer)
        #expect(logs.limit == 1)
        #expect(logs.own && logs.conversation == nil)
        await peer.write(json: #"{"id":\#(question),"event":"done","logs":[\#(Self.row)],"next":"x"}"#)
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.conversation == "c1")
        #expect(prompt.prompt == Array(#""more""#.utf8))
        await peer.write(Answers.text(.number(id), "hi"), Answers.done(.number(id)))
        #expect(await run.output == "hi\n")
        #expect(await run.status == 0)
    }

    @Test(arguments: ["--cid", "--conversation"])
    func aConversationThatIsNamedIsContinuedWithoutAQuestion(option: String) async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun([option, "c7", "--json", "more"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.conversation == "c7")
        let done = #"{"id":\#(id),"event":"done","conversation":"c7"}"#
        await peer.write(json: done)
        #expect(await run.output == done + "\n", "the frame as it came")
        #expect(await run.status == 0)
    }

    @Test func withoutAConversationOnRecordNothingIsAsked() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["-c", "more"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, _) = try await Self.logs(of: peer)
        await peer.write(json: #"{"id":\#(id),"event":"done","logs":[]}"#)
        #expect(
            await run.diagnostics
                == "bulkhead: not_found: there is no conversation of yours on record; leave -c out to begin one\n")
        #expect(await run.status == 1)
        #expect(try await peer.read() == nil)
    }

    @Test func whatKeepsTheRecordFromAnsweringIsSaid() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["-c", "more"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, _) = try await Self.logs(of: peer)
        await peer.write(Answers.error(.number(id), .logUnavailable, "the reader is starting"))
        #expect(await run.diagnostics == "bulkhead: log_unavailable: the reader is starting\n")
        #expect(await run.status == 75)
    }

    @Test func twoConversationsAtOnceAreRefused() async throws {
        let run = try ProgramRun(["-c", "--cid", "c1", "more"], socket: "/nowhere/bulkhead.sock")
        #expect(await run.diagnostics.contains("either -c, for the newest one, or --cid ID"))
        #expect(await run.status == 64)
    }

    private static let row =
        #"{"id":"i","model":"m","started_at_ms":1,"conversation":"c1","prompt":"p","response":"r"}"#

    private static func logs(of peer: Peer) async throws -> (Int64, LogsRequest) {
        let request = try #require(try await peer.read())
        guard case .logs(let logs) = request.operation, case .number(let id) = request.id else { throw Unexpected() }
        return (id, logs)
    }

    private static func prompt(of peer: Peer) async throws -> (Int64, PromptRequest) {
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation, case .number(let id) = request.id else {
            throw Unexpected()
        }
        return (id, prompt)
    }
}
