import BulkheadClient
import Foundation
import Messages
import Testing

/// `bulkhead purposes`, `whoami`, `explain`, the models of a purpose, and what a prompt is for.
@Suite(.timeLimit(.minutes(1)))
struct PolicyCommandTests {
    /// Runs a command whose one question is answered with this member.
    private static func run(
        _ arguments: [String], _ operation: ClientRequest.Operation, _ name: StaticString, _ value: String
    ) async throws -> (output: String, status: CInt) {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        #expect(request.operation == operation)
        await peer.write(ClientAnswer.done(id: request.id, (name, Array(value.utf8))))
        return (await run.output, await run.status)
    }

    @Test func purposesAreATable() async throws {
        let purposes =
            #"[{"name":"chat","description":"Talk","model":"echo","allowed":true},{"name":"sql","allowed":false}]"#
        #expect(
            try await Self.run(["purposes"], .purposes, "purposes", purposes).output == """
                PURPOSE  MODEL  DESCRIPTION
                chat     echo   Talk
                sql      -      (not for you)

                """)
        #expect(try await Self.run(["purposes", "--json"], .purposes, "purposes", purposes).output == purposes + "\n")
        #expect(
            try await Self.run(["purposes"], .purposes, "purposes", "[]").output
                == "The configuration names no purpose that you may use.\n")
    }

    @Test func whoIsWhoAndMayDoWhatIsShown() async throws {
        let whoami =
            #"{"caller":"web","allowed":true,"uid":0,"gid":7,"groups":[8,9],"pid":42,"unit":"web.service","administrator":false,"#
            + #""may_name_actor":true,"purposes":["chat"],"models":null,"max_requests":32}"#
        #expect(
            try await Self.run(["whoami"], .whoami, "whoami", whoami).output == """
                caller    web
                user      0 (root), groups 7 8 9
                process   42, unit web.service
                may       ask, name actors
                purposes  chat
                models    those of the purpose
                limits    32 open requests

                """)
        #expect(try await Self.run(["whoami", "--json"], .whoami, "whoami", whoami).output == whoami + "\n")
        let stranger =
            #"{"allowed":false,"uid":4000000000,"gid":7,"groups":[],"pid":42,"administrator":false,"may_name_actor":false,"purposes":[],"models":[]}"#
        let text = try await Self.run(["whoami"], .whoami, "whoami", stranger).output
        #expect(text.contains("may       nothing: no entry of 'callers' is about this user\npurposes  none\n"))
    }

    @Test func aRequestIsExplained() async throws {
        let explanation =
            #"{"allowed":true,"caller":"web","actor":"ada","purpose":"chat","configured":true,"model":"gpt","provider":"openai","#
            + #""needs_key":true,"key_name":"TEAM","key_source":"store","options":{"temperature":0},"fallbacks":["echo","qwen"],"#
            + #""passed_over":[{"model":"large","error":{"code":"no_key","message":"there is none","retryable":false}}],"max_connections":8}"#
        let request = ExplainRequest(mandate: Mandate(purpose: "chat", actor: "ada"), model: "large")
        let run = try await Self.run(
            ["explain", "-p", "chat", "--actor", "ada", "-m", "large"], .explain(request), "explanation", explanation)
        #expect(
            run.output == """
                allowed      yes
                caller       web
                actor        ada
                purpose      chat
                passed over  large: no_key: there is none
                model        gpt of openai
                key          TEAM, from the daemon's secrets
                options      {"temperature":0}
                fallbacks    echo, qwen
                limits       8 connections

                """)
        #expect(run.status == 0)
        let json = try await Self.run(
            ["explain", "--embed", "--as", "0", "--json"],
            .explain(ExplainRequest(operation: .embed, identity: try Self.root())), "explanation", explanation)
        #expect(json.output == explanation + "\n")
    }

    @Test func aRefusalIsExplainedAndIsAnExitStatus() async throws {
        let explanation =
            #"{"allowed":false,"refusal":{"code":"not_allowed","message":"so it is","retryable":false},"purpose":"caht","configured":false,"fallbacks":[]}"#
        let run = try await Self.run(
            ["explain", "--purpose", "caht"], .explain(ExplainRequest(mandate: Mandate(purpose: "caht"))),
            "explanation",
            explanation)
        #expect(
            run.output == """
                allowed  no: not_allowed: so it is
                caller   -
                purpose  caht (nothing is configured for it)
                limits   those of every connection

                """)
        #expect(run.status == 1)
    }

    /// What `id` says of root.
    private static func root() throws -> Identity {
        func ids(_ option: String) throws -> [Int] {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/id")
            process.arguments = [option, "root"]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        }
        return Identity(uid: 0, gid: try ids("-g").first, groups: try ids("-G").filter { $0 != 0 })
    }

    @Test func modelsAreThoseOfAPurposeAndAUserWithReasons() async throws {
        let models = #"""
            [{"id":"echo","aliases":[],"provider":"echo","needs_key":false,"default":true,"available":true},
            {"id":"gpt","aliases":[],"provider":"openai","needs_key":true,"default":false,"available":false,"reason":"it is in blocked_models"}]
            """#
        let request = ModelsRequest(purpose: "chat", identity: try Self.root(), all: true)
        let run = try await Self.run(
            ["models", "--purpose", "chat", "--as", "root", "--all"], .models(request), "models", models)
        #expect(
            run.output == """
                MODEL  ALIASES  PROVIDER  NOTES        NOT AVAILABLE BECAUSE
                echo            echo      default
                gpt             openai    needs a key  it is in blocked_models

                """)
        let options = try await Self.run(
            ["models", "-p", "chat", "--all", "--options"], .models(ModelsRequest(purpose: "chat", all: true)),
            "models", models)
        #expect(options.output.contains("openai: gpt\n  Not available: it is in blocked_models\n"))
    }

    @Test func whoIsNotThereIsSaid() async throws {
        let unknown = try ProgramRun(["models", "--as", "nobody-at-all"], socket: "/nowhere/bulkhead.sock")
        #expect(await unknown.diagnostics.contains("There is no user 'nobody-at-all' on this host"))
        #expect(await unknown.status == 64)
        for arguments in [["explain", "-p", ""], ["prompt", "--actor", "", "x"], ["models", "--refresh", "--all"]] {
            #expect(await (try ProgramRun(arguments, socket: "/nowhere/bulkhead.sock")).status == 64)
        }
        // A number without a name is a user too.
        let run = try ProgramRun(["explain", "--as", "4000000000"], socket: "/nowhere/bulkhead.sock")
        #expect(await run.status == 69)
    }

    @Test(arguments: [
        ["prompt", "-p", "chat", "--actor", "ada", "hi"], ["chat", "--purpose", "chat", "--actor", "ada"],
        ["embed", "-p", "chat", "--actor", "ada", "-c", "hi"],
    ])
    func aRequestSaysWhatItIsForAndForWhom(_ arguments: [String]) async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path, input: "hi\n")
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        let mandate = Mandate(purpose: "chat", actor: "ada")
        switch request.operation {
        case .prompt(let prompt): #expect(prompt.mandate == mandate)
        case .embed(let embed): #expect(embed.mandate == mandate)
        default: Issue.record("\(request.operation)")
        }
        await peer.write(Answers.error(request.id, .notAllowed, "no"))
        #expect(await run.diagnostics.contains("not_allowed: no"))
    }

    @Test func theOptionsOfAPromptAreThoseOfTheModelsOfItsPurpose() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "-p", "chat", "-o", "flag", "1", "hi"], socket: daemon.path)
        let peer = try await daemon.accept()
        let list = try #require(try await peer.read())
        #expect(list.operation == .models(ModelsRequest(purpose: "chat")))
        await peer.write(Answers.error(list.id, .notAllowed, "no such purpose for you"))
        #expect(await run.diagnostics == "bulkhead: not_allowed: no such purpose for you\n")
        #expect(await run.status == 1)
    }
}
