import BulkheadClient
import Foundation
import JSON
import Messages
import Testing

/// `bulkhead logs` and `bulkhead requests`.
@Suite(.timeLimit(.minutes(2)))
struct RecordCommandTests {
    private static let full = """
        {"id":"01k9x3g6ncw7jv0q8r6m2t5y4b","state":"done","uid":1000,"provider":"openai","model":"gpt-4o-mini",\
        "started_at_ms":1763679845123,"duration_ms":812,"conversation":"01k9x3fzzzt4bq6h1e8w5m0n2c",\
        "conversation_name":"Name a ship.","system":"One word.","prompt":"Another.","attachments":[{"id":"a1","type":"image/png"}],\
        "options":{"temperature":0.2},"schema":{"type":"object"},\
        "response":"Fram\\n","reasoning":"Hm.",\
        "tool_calls":[{"tool_call_id":"c","name":"look_up","arguments":{"ship":"Fram"}}],\
        "tool_results":[{"name":"look_up","output":"1892"}],\
        "usage":{"input":12,"output":7},"finish_reason":"stop"}
        """
    private static let failed = """
        {"id":"01k9x3fzzzt4bq6h1e8w5m0n2c","state":"error","uid":1000,"provider":"openai","model":"gpt-4o-mini",\
        "started_at_ms":1763679844000,"duration_ms":30,"prompt":"Name a\\n ship.","response":"",\
        "error":{"code":"provider_rate_limited","message":"429: slow down"}}
        """
    private static let foreign = """
        {"id":"01k9x3fy0a4bq6h1e8w5m0n2c7","model":"gpt-4o","started_at_ms":1763679842314,"prompt":"","response":"Terra Nova",\
        "truncated":true,"unreadable":"the prompt: message 'x' is missing"}
        """

    @Test
    func aRowIsReadable() async throws {
        let run = try await Self.run(["logs"], pages: [([Self.full, Self.failed, Self.foreign], nil)])
        #expect(
            run.output == """
                # 2025-11-20 23:04:05  gpt-4o-mini (openai)  01k9x3g6ncw7jv0q8r6m2t5y4b
                conversation 01k9x3fzzzt4bq6h1e8w5m0n2c: Name a ship.
                done, 812 ms, 12 tokens in, 7 out, finish reason stop, uid 1000
                options {"temperature":0.2}
                schema {"type":"object"}

                ## System

                One word.

                ## Prompt

                Another.

                ## Attachments

                {"id":"a1","type":"image/png"}

                ## Reasoning

                Hm.

                ## Response

                Fram

                ## Tool calls

                {"tool_call_id":"c","name":"look_up","arguments":{"ship":"Fram"}}

                ## Tool results

                {"name":"look_up","output":"1892"}

                # 2025-11-20 23:04:04  gpt-4o-mini (openai)  01k9x3fzzzt4bq6h1e8w5m0n2c
                error, 30 ms, uid 1000

                ## Prompt

                Name a
                 ship.

                ## Error

                provider_rate_limited: 429: slow down

                # 2025-11-20 23:04:02  gpt-4o  01k9x3fy0a4bq6h1e8w5m0n2c7
                recorded by llm
                too long to be shown whole; logs.db has all of it
                not whole in logs.db: the prompt: message 'x' is missing

                ## Response

                Terra Nova

                """)
        #expect(run.requests.map(\.limit) == [3])
    }

    @Test
    func aRowFitsALine() async throws {
        let run = try await Self.run(["logs", "-s", "-n", "2"], pages: [([Self.full, Self.failed], nil)])
        #expect(
            run.output == """
                2025-11-20 23:04:05  01k9x3g6ncw7jv0q8r6m2t5y4b  gpt-4o-mini  done   Another.      Fram
                2025-11-20 23:04:04  01k9x3fzzzt4bq6h1e8w5m0n2c  gpt-4o-mini  error  Name a ship.

                """)
    }

    @Test
    func pagesAreReadUntilThereAreEnough() async throws {
        let run = try await Self.run(
            ["logs", "--json", "-n", "5"],
            pages: [
                ([Self.full, Self.full], "b1"), ([], "b2"), ([Self.failed], "b3"),
                ([Self.foreign, Self.full, Self.full], "b4"),
            ])
        #expect(
            try JSONValue(parsing: run.output)
                == JSONValue(
                    parsing: "[\([Self.full, Self.full, Self.failed, Self.foreign, Self.full].joined(separator: ","))]")
        )
        #expect(run.requests.map(\.limit) == [5, 3, 3, 2])
        #expect(run.requests.map(\.before) == [nil, "b1", "b2", "b3"])
    }

    @Test
    func allAreReadOfOneConversation() async throws {
        let run = try await Self.run(
            ["logs", "--cid", "c1", "-q", "ship OR cat", "--model", "m", "-s"],
            pages: [([Self.full], "b1"), ([Self.failed], nil)])
        #expect(run.output.split(separator: "\n").count == 2)
        #expect(run.requests.map(\.limit) == [100, 100])
        #expect(run.requests.allSatisfy { $0.conversation == "c1" && $0.search == "ship OR cat" && $0.model == "m" })
    }

    @Test
    func theNewestAnswerCanBeHadAlone() async throws {
        let run = try await Self.run(["logs", "-r"], pages: [([], "b1"), ([Self.foreign], nil)])
        #expect(run.output == "Terra Nova\n")
        #expect(run.requests.map(\.limit) == [1, 1])
        let none = try await Self.run(["logs", "-r"], pages: [([], nil)], status: 1)
        #expect(none.output == "" && none.diagnostics == "bulkhead: there is no answer on record\n")
    }

    @Test
    func nothingOnRecordIsNothing() async throws {
        #expect(try await Self.run(["logs"], pages: [([], nil)]).output == "")
        #expect(try await Self.run(["logs", "--json"], pages: [([], nil)]).output == "[]\n")
        #expect(try await Self.run(["requests", "--json"], pages: [([], nil)]).output == "[]\n")
    }

    @Test
    func requestsAreATable() async throws {
        let row = """
            {"id":"01k9x3g6ncw7jv0q8r6m2t5y4b","state":"done","started_at_ms":1763679845123,"duration_ms":1812,"uid":1000,\
            "gid":100,"pid":4711,"provider":"openai","model":"gpt-4o-mini","usage":{"input":12,"output":7},"finish_reason":"stop"}
            """
        let open = """
            {"id":"01k9x3fzzzt4bq6h1e8w5m0n2c","state":"open","started_at_ms":1763679844000,"provider":"echo","model":"echo"}
            """
        let run = try await Self.run(
            ["requests", "-n", "0", "--state", "open", "-m", "m"], pages: [([row, open], "b1"), ([Self.failed], nil)])
        #expect(
            run.output == """
                STARTED              REQUEST                     STATE  PURPOSE  MODEL        PROVIDER  UID   CALLER  ACTOR  \
                TOOK   IN  OUT  NOTES
                2025-11-20 23:04:05  01k9x3g6ncw7jv0q8r6m2t5y4b  done   -        gpt-4o-mini  openai    1000  -       -      \
                1.8 s  12  7    stop
                2025-11-20 23:04:04  01k9x3fzzzt4bq6h1e8w5m0n2c  open   -        echo         echo      -     -       -      \
                -      -   -
                2025-11-20 23:04:04  01k9x3fzzzt4bq6h1e8w5m0n2c  error  -  gpt-4o-mini  openai  1000  -  -  30 ms  -  -  \
                provider_rate_limited: 429: slow down

                """)
        #expect(run.requests.map(\.state) == ["open", "open"] && run.requests.allSatisfy { $0.model == "m" })
    }

    @Test
    func attemptsStandBelowTheirRequest() async throws {
        let row = """
            {"id":"01k9x3g6ncw7jv0q8r6m2t5y4b","state":"done","started_at_ms":1763679845123,"duration_ms":1812,"uid":1000,\
            "caller":"datasette","actor":"ada","purpose":"enrichments","provider":"anthropic","model":"claude",\
            "usage":{"input":12,"output":7},"finish_reason":"stop","attempts":[\
            {"attempt":1,"provider":"openai","model":"gpt-4o-mini","started_at_ms":1763679845125,"duration_ms":310,\
            "usage":{"input":12},"error":{"code":"provider_rate_limited","message":"429: slow down","retry_after_ms":1000}},\
            {"attempt":2,"provider":"anthropic","model":"claude","started_at_ms":1763679846500,"duration_ms":435,\
            "usage":{"input":12,"output":7}}]}
            """
        let run = try await Self.run(["requests"], pages: [([row], nil)])
        #expect(
            run.output == """
                STARTED              REQUEST                     STATE  PURPOSE      MODEL        PROVIDER   UID   CALLER     \
                ACTOR  TOOK    IN  OUT  NOTES
                2025-11-20 23:04:05  01k9x3g6ncw7jv0q8r6m2t5y4b  done   enrichments  claude       anthropic  1000  datasette  \
                ada    1.8 s   12  7    stop
                                       attempt 1                 error               gpt-4o-mini  openai                      \
                       310 ms  12  -    provider_rate_limited: 429: slow down
                                       attempt 2                 done                claude       anthropic                   \
                       435 ms  12  7

                """)
    }

    @Test
    func whoseAndWhatForAreAskedForAndShown() async throws {
        let group = "01k9x3g6ncw7jv0q8r6m2t5y5d"
        let options = ["--purpose", "enrichments", "--actor", "ada", "--caller", "datasette", "--group", group]
        let filter = MandateFilter(purpose: "enrichments", actor: "ada", caller: "datasette", group: ULID(group))
        let row = """
            {"id":"01k9x3g6ncw7jv0q8r6m2t5y4b","state":"done","started_at_ms":1763679845123,"caller":"datasette",\
            "actor":"a\\nda","purpose":"enrichments","group":"\(group)","annotations":{"pii":{"found":0}},"model":"m",\
            "provider":"p","prompt":"","response":""}
            """
        let logs = try await Self.run(["logs"] + options, pages: [([row], nil)])
        #expect(logs.requests.map(\.mandate) == [filter])
        #expect(logs.output.contains("\npurpose enrichments, caller datasette, for a da, group \(group)\n"))
        #expect(logs.output.contains("\nnoted {\"pii\":{\"found\":0}}\n"))
        let requests = try await Self.run(["requests"] + options, pages: [([row], nil)])
        #expect(requests.requests.map(\.mandate) == [filter])
        #expect(requests.output.contains("  datasette  a da  "))
    }

    @Test
    func controlCharactersReachOnlyWhatIsNoTerminal() async throws {
        let evil = """
            {"id":"01k9x3fzzzt4bq6h1e8w5m0n2c","model":"m","started_at_ms":0,"prompt":"\\u001b]0;title\\u0007é",\
            "response":"a\\tb\\n\\u009b2J\\u202e\\u007f"}
            """
        let piped = try await Self.run(["logs", "-r"], pages: [([evil], nil)])
        #expect(piped.output == "a\tb\n\u{9B}2J\u{202E}\u{7F}\n")
        let shown = try await Self.run(["logs"], pages: [([evil], nil)], onTerminal: true)
        #expect(shown.output.contains(#"\x1B]0;title\x07é"#))
        #expect(shown.output.contains(#"\x9B2J\u{202E}\x7F"#))
        let json = try await Self.run(["logs", "--json"], pages: [([evil], nil)], onTerminal: true)
        #expect(json.output.contains(#"\u009B2J\u202E\u007F"#))
        for output in [shown.output, json.output] {
            #expect(output.unicodeScalars.allSatisfy { $0.value >= 0x20 || "\r\n\t".unicodeScalars.contains($0) })
        }
    }

    @Test(arguments: [
        ["logs", "-n", "-1"], ["logs", "--json", "-r"], ["logs", "text"], ["requests", "-n", "-1"],
        ["requests", "--group", "x"],
    ])
    func aWrongCommandLineIsRefused(arguments: [String]) async throws {
        let run = try ProgramRun(arguments, socket: "/nonexistent")
        #expect(await run.status == 64)
    }

    @Test
    func aRefusalSaysWhy() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["logs", "-q", "\""], socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        await peer.write(Answers.error(request.id, .invalidRequest, "the search cannot be read: unterminated string"))
        #expect(await run.status == 1)
        #expect(await run.diagnostics == "bulkhead: invalid_request: the search cannot be read: unterminated string\n")
    }

    @Test
    func aRowThatLacksAMemberIsTheDaemonsFault() async throws {
        let daemon = try FakeDaemon()
        let client = try await BulkheadClient.connect(daemon.path)
        let page = Task { try await client.logs() }
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        await peer.write(ClientAnswer.page(id: request.id, "logs", rows: Array(#"[{"id":"x"}]"#.utf8), next: nil))
        await #expect(throws: ClientError.self) { try await page.value }
    }

    // MARK: A run

    private struct Question {
        var limit: Int
        var before: String?
        var conversation: String?
        var model: String?
        var search: String?
        var state: String?
        var mandate: MandateFilter

        init(_ operation: ClientRequest.Operation) throws {
            switch operation {
            case .logs(let request):
                self.limit = request.limit
                self.before = request.before
                self.conversation = request.conversation
                self.model = request.model
                self.search = request.search
                self.mandate = request.mandate
            case .requests(let request):
                self.limit = request.limit
                self.before = request.before
                self.model = request.model
                self.state = request.state
                self.mandate = request.mandate
            default: throw POSIXError(.EPROTO)
            }
        }
    }

    private struct Outcome {
        var output: String
        var diagnostics: String
        var requests: [Question]
    }

    /// Runs the program with a daemon that answers one question with each page.
    private static func run(
        _ arguments: [String], pages: [(rows: [String], next: String?)], status: CInt = 0, onTerminal: Bool = false
    ) async throws -> Outcome {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path, onTerminal: onTerminal)
        let peer = try await daemon.accept()
        var requests: [Question] = []
        for page in pages {
            let request = try #require(try await peer.read())
            requests.append(try Question(request.operation))
            let name: StaticString = arguments[0] == "logs" ? "logs" : "requests"
            let rows = Array("[\(page.rows.joined(separator: ","))]".utf8)
            await peer.write(ClientAnswer.page(id: request.id, name, rows: rows, next: page.next))
        }
        let (output, diagnostics) = (await run.output, await run.diagnostics)
        #expect(await run.status == status)
        #expect(try await peer.read() == nil)
        return Outcome(output: output, diagnostics: diagnostics, requests: requests)
    }
}
