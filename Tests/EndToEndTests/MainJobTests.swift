import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// A prompt goes in through the socket, an answer streams back, a row is there.
    @Suite struct MainJob {
        @Test func aPromptIsStreamedAndRecordedAndTheDaemonStops() throws {
            let daemon = try Daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, "hello world")
            let start = try wire.next()
            #expect(start["event"]?.string == "start")
            #expect(start["model"]?.string == "echo")
            let (text, done) = try wire.finish(1)
            #expect(text.hasPrefix("{\n  \"prompt\": \"hello world\""))
            #expect(done["usage"]?["input"]?.integer == 2)
            #expect(done["request"] == start["request"])
            let rows = try daemon.rows()
            #expect(rows.count == 1)
            #expect(rows[0]["id"] as String? == start["request"]?.string)
            #expect(rows[0]["state"] as String? == "done")
            #expect(rows[0]["uid"] as Int? == Int(getuid()))
            #expect(rows[0]["pid"] as Int? == Int(getpid()))
            try daemon.stop()
            #expect(daemon.process.terminationStatus == 0)
            #expect(!FileManager.default.fileExists(atPath: daemon.socket), "the socket file is removed")
        }

        @Test func anUnstreamedPromptIsOneFrame() throws {
            let daemon = try Daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(
                7, #"{"raw":"all at once","tool_calls":[{"name":"t","arguments":{"x":1.0}}]}"#, stream: false)
            let done = try wire.next()
            #expect(done["event"]?.string == "done")
            #expect(done["text"]?.string == "all at once")
            #expect(done["tool_calls"]?[0]?["arguments"]?.text() == #"{"x":1.0}"#)
        }

        @Test func modelsStatusAndPingAnswer() throws {
            let daemon = try Daemon()
            let wire = try Wire(daemon.socket)
            try wire.send(#"{"id":"m","op":"models","all":true}"#)
            let models = try wire.next()
            #expect(models["models"]?.array?.map { $0["id"]?.string } == ["echo", "echo-needs-key", "echo-embed"])
            try wire.send(#"{"id":"p","op":"ping"}"#)
            #expect(try wire.next().text() == #"{"id":"p","event":"done"}"#)
            let status = try daemon.status()
            #expect(status["pid"]?.integer == Int(daemon.pid))
        }

        @Test func aModelWithoutItsKeyIsRefusedAndOneWithItIsServed() throws {
            let daemon = try Daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-needs-key")
            let refused = try wire.next()
            #expect(refused.errorCode == "no_key")
            #expect(refused.errorMessage?.contains("LLM_ECHO_NEEDS_KEY_KEY") == true)
            let keyed = try Daemon(environment: ["LLM_ECHO_NEEDS_KEY_KEY": "K-4711"])
            let other = try Wire(keyed.socket)
            try other.prompt(1, model: "echo-needs-key")
            #expect(try other.finish(1).text.contains(#""key": "K-4711""#))
            let worker = try keyed.worker("echo")
            #expect(!(try ProcFS.bytes("environ", of: worker)).contains("K-4711"), "a worker's environment has no key")
            #expect(!keyed.log.contains("K-4711"))
        }

        @Test func theCommandLineClientStreamsAnAnswerAndSaysWhatIsWrong() throws {
            let daemon = try Daemon()
            let said = try CommandLine.run("prompt", "hello", socket: daemon.socket)
            #expect(said.status == 0)
            #expect(said.output.hasPrefix("{\n  \"prompt\": \"hello\""))
            let wrong = try CommandLine.run("prompt", "-m", "ecko", "hello", socket: daemon.socket)
            #expect(wrong.status == 1)
            #expect(wrong.errors.contains("did you mean 'echo'?"))
            #expect(try CommandLine.run("status", socket: daemon.socket).output.contains("echo"))
            let nobody = try CommandLine.run("ping", socket: daemon.socket + "-not")
            #expect(nobody.status == 69)
        }

        @Test func relaxedDurabilityStillRecordsEverything() throws {
            let daemon = try Daemon("log: {durability: relaxed}")
            let wire = try Wire(daemon.socket)
            for id in 1...50 { try wire.prompt(id) }
            _ = try wire.finishAll(1...50)
            try daemon.stop()
            #expect(try daemon.rowStates() == ["done": 50], "a stop loses nothing")
        }
    }
}
