import BulkheadClient
import Foundation
import JSON
import Messages
import Testing

/// `bulkhead prompt --tool FILE`.
@Suite(.timeLimit(.minutes(2)))
struct ToolCommandTests {
    /// A folder with tools, which goes with the test.
    private final class Folder {
        let url: URL

        init() throws {
            self.url = FileManager.default.temporaryDirectory.appending(path: "bulkhead-tools-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: self.url) }

        /// Writes a file, and returns its path.
        func write(_ name: String, _ text: String, isProgram: Bool = false) throws -> String {
            let file = self.url.appending(path: name)
            try text.write(to: file, atomically: true, encoding: .utf8)
            if isProgram { chmod(file.path, 0o755) }
            return file.path
        }

        /// Writes a tool that is a shell script, and returns the path of its description.
        func tool(_ name: String, _ script: String, members: String = "") throws -> String {
            _ = try self.write("\(name).sh", "#!/bin/sh\n\(script)\n", isProgram: true)
            return try self.write("\(name).json", #"{"name":"\#(name)","command":["./\#(name).sh"]\#(members)}"#)
        }
    }

    /// Runs a chain of one call, and returns its result.
    private func result(
        _ file: String, arguments: String = "{}", name: String = "t", more: [String] = []
    ) async throws -> ToolResult {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "-T", file, "p"] + more, socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", name, arguments)])
        let result = try #require(try await peer.readResults(of: id).first)
        await peer.writeEnd(id, text: "end")
        #expect(await run.output == "end\n")
        #expect(await run.status == 0)
        return result
    }

    @Test func aCommandReadsItsArgumentsAndPrintsTheResult() async throws {
        let folder = try Folder()
        let file = try folder.tool(
            "t", #"printf '%s|%s|%s|' "$BULKHEAD_TOOL_CALL_ID" "$TZ" "$PWD"; cat"#,
            members: #","description":"D","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}"#)
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "--tool", file, "--cl", "3", "-u", "p"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, chain) = try await peer.readChain()
        #expect(chain.limit == 3 && chain.toolTimeoutMilliseconds == 86_400_000)
        #expect(
            chain.prompt.tools
                == Array(
                    #"[{"name":"t","description":"D","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}]"#
                        .utf8))
        await peer.writeRound(id, text: "Wait.", calls: [("c1", "t", #"{"a":"b $(c) 'd'"}"#)])
        let result = try #require(try await peer.readResults(of: id).first)
        let place = FileManager.default.currentDirectoryPath
        #expect(result.output == #"c1|UTC|\#(place)|{"a":"b $(c) 'd'"}"#)
        #expect(result.exception == nil && result.toolCallID == "c1" && result.name == "t")
        await peer.writeEnd(id, text: "Done.")
        #expect(await run.output == "Wait. Done.\n", "no call is printed, and rounds are joined by a space")
        #expect(await run.diagnostics == "Token usage: 11 input, 22 output\n", "of both rounds")
        #expect(await run.status == 0)
    }

    @Test func aCommandThatFailsSaysWhyToTheModel() async throws {
        let folder = try Folder()
        let failed = try await self.result(try folder.tool("t", "echo lost; echo 'no such city\n' >&2; exit 3"))
        #expect(failed.output == "Error: exit status 3: no such city")
        #expect(failed.exception == "CommandFailed: exit status 3: no such city")
        let killed = try await self.result(try folder.tool("t", "kill -9 $$"))
        #expect(killed.output == "Error: ended by signal 9")
        let long = try await self.result(try folder.tool("t", "seq 1 5000 >&2; echo last >&2; exit 1"))
        #expect(long.output.hasSuffix("4999\n5000\nlast") && long.output.utf8.count < 4200)
    }

    @Test func aCommandThatTakesTooLongIsKilledWithWhatItHasStarted() async throws {
        let folder = try Folder()
        let pid = folder.url.appending(path: "pid").path
        let file = try folder.tool(
            "t", "sleep 3600 & echo $! >'\(pid)'; sleep 3600", members: #","timeout":"500ms""#)
        let result = try await self.result(file)
        #expect(result.output == "Error: timed out after 500 ms")
        try await self.waitUntilGone(pid)
    }

    @Test func whatACommandLeavesRunningEndsWithIt() async throws {
        let folder = try Folder()
        let pid = folder.url.appending(path: "pid").path
        let result = try await self.result(try folder.tool("t", "sleep 3600 & echo $! >'\(pid)'; echo done"))
        #expect(result.output == "done\n")
        try await self.waitUntilGone(pid)
    }

    @Test func aLongOutputIsCutAndACommandNeedNotReadItsInput() async throws {
        let folder = try Folder()
        let file = try folder.tool("t", "exec 0<&-; head -c 3000000 /dev/zero | tr '\\0' x")
        let long = String(repeating: "y", count: 200_000)
        let result = try await self.result(file, arguments: #"{"a":"\#(long)"}"#)
        #expect(result.output.utf8.prefix(1 << 20).allSatisfy { $0 == UInt8(ascii: "x") })
        #expect(result.output.hasSuffix("x\n[The output was cut here, at 1 MiB.]"))
    }

    @Test func callsOfARoundRunAtTheSameTime() async throws {
        let folder = try Folder()
        // Each waits for the other.
        let one = try folder.tool("one", "cd \"$(dirname \"$0\")\"; read x <fifo; echo \"one $x\"")
        let other = try folder.tool("other", "cd \"$(dirname \"$0\")\"; echo hello >fifo; echo other")
        mkfifo(folder.url.appending(path: "fifo").path, 0o600)
        let list = try folder.write(
            "both.json",
            "[\(try String(contentsOfFile: one, encoding: .utf8)),\(try String(contentsOfFile: other, encoding: .utf8))]"
        )
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["-T", list, "p"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "one", "{}"), ("c2", "other", "{}")])
        let results = try await peer.readResults(of: id) + peer.readResults(of: id)
        #expect(Set(results.map(\.output)) == ["one hello\n", "other\n"])
        await peer.writeEnd(id, text: "end")
        #expect(await run.status == 0)
    }

    @Test func callsAndResultsAreShownWhereThatIsAskedFor() async throws {
        let folder = try Folder()
        let file = try folder.tool("t", "read x; [ \"$x\" = '{}' ] && exit 1; echo '{\"b\":[1]}'")
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "-T", file, "--td", "p"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", #"{"a":1}"#)])
        _ = try await peer.readResults(of: id)
        await peer.writeRound(id, 2, calls: [("c2", "t", "{}")])
        _ = try await peer.readResults(of: id)
        await peer.writeEnd(id, 3, text: "end")
        #expect(
            await run.diagnostics == """

                Tool call: t({"a": 1})
                  {
                    "b": [
                      1
                    ]
                  }


                Tool call: t({})
                  Error: exit status 1
                  Exception: CommandFailed: exit status 1


                """)
        #expect(await run.output == "end\n")
    }

    @Test func framesArePrintedAndToolsAreRunAllTheSame() async throws {
        let folder = try Folder()
        let daemon = try FakeDaemon()
        let run = try ProgramRun(
            ["prompt", "-T", try folder.tool("t", "cat"), "--json", "-u", "--no-stream", "p"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, chain) = try await peer.readChain()
        #expect(!chain.prompt.stream)
        await peer.writeRound(id, calls: [("c1", "t", "{}")])
        #expect(try await peer.readResults(of: id).map(\.output) == ["{}"])
        await peer.writeEnd(id, text: "end")
        #expect(await run.output.split(separator: "\n").count == 6)
        #expect(await run.diagnostics == "Token usage: 11 input, 22 output\n")
    }

    @Test func ctrlCCancelsTheChainAndKillsTheCommands() async throws {
        let folder = try Folder()
        let pid = folder.url.appending(path: "pid").path
        let file = try folder.tool(
            "t", "trap '' INT TERM; sleep 3600 & echo $! >'\(pid).new'; mv '\(pid).new' '\(pid)'; wait")
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "-T", file, "p"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", "{}")])
        try await self.waitUntil { FileManager.default.fileExists(atPath: pid) }
        run.signal(SIGINT)
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(id)))
        await peer.write(Answers.error(.number(id), .cancelled, "as you wish"))
        #expect(await run.status == 130)
        try await self.waitUntilGone(pid)
    }

    @Test func aSecondSignalEndsTheProgramAndTheCommandsAtOnce() async throws {
        let folder = try Folder()
        let pid = folder.url.appending(path: "pid").path
        let file = try folder.tool("t", "sleep 3600 & echo $! >'\(pid).new'; mv '\(pid).new' '\(pid)'; wait")
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "-T", file], socket: daemon.path, input: nil)
        try run.type("p\n")
        let peer = try await daemon.accept()
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", "{}")])
        try await self.waitUntil { FileManager.default.fileExists(atPath: pid) }
        run.signal(SIGTERM)
        #expect(await run.status == 143)
        try await self.waitUntilGone(pid)
    }

    @Test func aChatCountsInterruptedCallsAsCancelled() async throws {
        let folder = try Folder()
        let file = try folder.tool("t", "sleep 3600")
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["chat", "-T", file, "--cid", "k1"], socket: daemon.path, input: nil)
        try run.type("one\n")
        let peer = try await daemon.accept()
        let (one, _) = try await peer.readChain()
        await peer.writeRound(one, calls: [("c1", "t", "{}")])
        await peer.write(Answers.text(.number(one), "here"))
        try await run.waitForOutput("here")
        run.signal(SIGINT)
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(one)))
        await peer.write(Answers.error(.number(one), .cancelled, "as you wish"))
        try run.type("two\n")
        let (two, chain) = try await peer.readChain()
        #expect(chain.prompt.conversation == "k1" && chain.prompt.prompt == Array(#""two""#.utf8))
        let results = try ToolResult.list(JSONValue(parsing: try #require(chain.prompt.toolResults)))
        #expect(
            results == [
                ToolResult(
                    name: "t", output: "Cancelled: the chain was stopped", toolCallID: "c1",
                    exception: "CancelToolCall: the chain was stopped")
            ])
        await peer.writeEnd(two, 1, text: "fine", conversation: "k1")
        try await run.waitForOutput("fine")
        try run.type("three\n")
        let (three, last) = try await peer.readChain()
        #expect(last.prompt.toolResults == nil)
        await peer.writeEnd(three, 1, text: "bye", conversation: "k1")
        try run.endInput()
        #expect(await run.status == 0)
    }

    @Test func aConversationThatEndsInCallsIsGoneOnWithWithoutAText() async throws {
        let folder = try Folder()
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt", "-T", try folder.tool("t", "cat"), "--cid", "k1"], socket: daemon.path)
        let peer = try await daemon.accept()
        let (id, chain) = try await peer.readChain()
        #expect(chain.prompt.conversation == "k1")
        await peer.write(
            json: #"{"id":\#(id),"event":"tool_call","tool_call_id":"c1","name":"t","arguments":{"a":1}}"#,
            #"{"id":\#(id),"event":"round","pending":["c1"]}"#)
        #expect(try await peer.readResults(of: id).map(\.output) == [#"{"a":1}"#])
        await peer.writeEnd(id, 1, text: "end")
        #expect(await run.status == 0)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: ProgramRun.script), "script(1) is not here"))
    func callsAreApprovedOneAfterTheOtherOnTheTerminal() async throws {
        let folder = try Folder()
        let file = try folder.tool("t", "echo ran")
        let daemon = try FakeDaemon()
        let run = try ProgramRun(
            ["prompt", "-T", file, "--ta", "p"], socket: daemon.path, input: nil, isInteractive: true)
        let peer = try await daemon.accept()
        let (id, _) = try await peer.readChain()
        await peer.writeRound(id, calls: [("c1", "t", #"{"n":"\u001b[2J"}"#), ("c2", "t", #"{"n":2}"#)])
        try await run.waitForOutput("Approve tool call? [y/N]: ")
        try run.type("y\n")
        let first = try #require(try await peer.readResults(of: id).first)
        #expect(first.output == "ran\n")
        try run.type("maybe\n")
        try await run.waitForOutput("Error: invalid input")
        try run.type("n\n")
        let second = try #require(try await peer.readResults(of: id).first)
        #expect(second.output == "Cancelled: User cancelled tool call")
        #expect(second.exception == "CancelToolCall: User cancelled tool call")
        #expect(Set([first.toolCallID, second.toolCallID]) == ["c1", "c2"])
        await peer.writeEnd(id, text: "end")
        #expect(await run.status == 0)
        #expect(await run.output.contains("Tool call: t({"))
        #expect(await !run.output.contains("\u{1B}[2J"))
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: ProgramRun.script), "script(1) is not here"))
    func aQuestionThatIsInterruptedReadsNothingMore() async throws {
        let folder = try Folder()
        let daemon = try FakeDaemon()
        let run = try ProgramRun(
            ["chat", "-T", try folder.tool("t", "echo ran"), "--ta"], socket: daemon.path, input: nil,
            isInteractive: true)
        let peer = try await daemon.accept()
        try await run.waitForOutput("> ")
        try run.type("one\n")
        let (one, _) = try await peer.readChain()
        await peer.writeRound(one, calls: [("c1", "t", "{}"), ("c2", "t", "{}")])
        try await run.waitForOutput("Approve tool call? [y/N]: ")
        try run.type("\u{3}")
        #expect(try #require(try await peer.read()).operation == .cancel(target: .number(one)))
        await peer.write(Answers.error(.number(one), .cancelled, "as you wish"))
        try await run.waitForOutput("[y/N]: ^C\r\n> ")
        try run.type("two\n")
        let (two, chain) = try await peer.readChain()
        #expect(chain.prompt.prompt == Array(#""two""#.utf8))
        await peer.writeEnd(two, 1, text: "fine")
        try await run.waitForOutput("fine\r\n> ")
        try run.type("\u{4}")
        #expect(await run.status == 0)
    }

    @Test(.enabled(if: !Self.hasTerminal, "these tests have a terminal"))
    func withoutATerminalNothingIsApproved() async throws {
        let folder = try Folder()
        let file = try folder.tool("t", "echo ran")
        let run = try ProgramRun(["prompt", "-T", file, "--ta", "p"], socket: "/nowhere/bulkhead.sock")
        #expect(await run.diagnostics.contains("--ta asks on the terminal, and there is none"))
        #expect(await run.status == 64)
    }

    private static var hasTerminal: Bool {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        defer { close(terminal) }
        return terminal >= 0
    }

    // MARK: Files

    @Test(arguments: [
        ("{", "is not JSON"), ("[]", "there is no tool in"), ("3", "a tool is an object"),
        (#"{"command":["true"]}"#, "the 'name' is missing"),
        (#"{"name":"t"}"#, "the 'command' must be an array of texts"),
        (#"{"name":"t","command":"true"}"#, "the 'command' must be an array of texts"),
        (#"{"name":"t","command":["true",1]}"#, "the 'command' must be an array of texts"),
        (#"{"name":"t","command":["no-such-program-here"]}"#, "there is no program 'no-such-program-here' in PATH"),
        (#"{"name":"t","command":["./missing.sh"]}"#, "missing.sh': No such file or directory"),
        (#"{"name":"t","command":["./tool.json"]}"#, "Permission denied; chmod +x it"),
        (#"{"name":"t","command":["true"],"timeout":30}"#, "the 'timeout' must be a text"),
        (#"{"name":"t","command":["true"],"input_schema":[]}"#, "the 'input_schema' must be a JSON Schema"),
        (#"{"name":"t","command":["true"],"shell":true}"#, "there is no member 'shell'"),
        (#"[{"name":"t","command":["true"]},{"name":"u"}]"#, "tool 2: the 'command'"),
        (#"[{"name":"t","command":["true"]},{"name":"t","command":["true"]}]"#, "two tools are called 't'"),
    ])
    func aWrongFileIsRefusedWithItsNameAndWhatToDo(text: String, message: String) async throws {
        let folder = try Folder()
        let file = try folder.write("tool.json", text)
        let run = try ProgramRun(["prompt", "-T", file, "p"], socket: "/nowhere/bulkhead.sock")
        let diagnostics = await run.diagnostics
        #expect(diagnostics.contains(message), "\(diagnostics)")
        #expect(diagnostics.contains("tool.json") || message.contains("two tools"))
        #expect(await run.status == 64, "nothing was sent, and nobody was connected to")
    }

    @Test(arguments: [
        ["prompt", "-T", "/nowhere/tool.json", "p"], ["prompt", "--td", "p"], ["prompt", "-T", "-", "p"],
        ["prompt", "-T", "x.json", "--cl", "1001", "p"], ["chat", "--ta"],
    ])
    func aWrongCommandLineIsRefused(arguments: [String]) async throws {
        let run = try ProgramRun(arguments, socket: "/nowhere/bulkhead.sock")
        #expect(await run.status == 64)
    }

    // MARK: Waiting

    /// Waits until the process whose number a file holds is gone.
    private func waitUntilGone(_ file: String) async throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let process = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        try await self.waitUntil {
            let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
            return status?.contains("State:\tZ") ?? true
        }
    }

    private func waitUntil(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
