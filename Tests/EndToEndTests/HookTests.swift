import Foundation
import JSON
import Testing

extension EndToEnd {
    /// A hook that hangs, crashes, lies or floods costs what its configuration says, within its timeout, and nothing else.
    @Suite(.enabled(if: ProgramRun.hasPython, "python3 is not on this machine")) struct Hooks {
        private static let faults = [
            "hang", "crash", "exit", "garbage", "huge", "stranger", "typo", "essay", "flood", "endless",
        ]

        private func house(_ onFailure: String = "open", timeout: String = "1s") throws -> HookHouse {
            try HookHouse(
                [.init(name: "judge", program: "judge.py", timeout: timeout, onFailure: onFailure)],
                programs: ["judge.py": HookHouse.faulty])
        }

        @Test(arguments: faults)
        func aHookThatFailsIsPassedOverWhereThatMayBe(fault: String) throws {
            let house = try self.house()
            let wire = try Wire(house.daemon.socket)
            try wire.prompt(1, "fine")
            #expect(try wire.finish(1).last["event"]?.string == "done")
            let before = try house.waitUntilBack("judge")
            // A stream that began before it.
            let bystander = try Wire(house.daemon.socket)
            try bystander.prompt(1, model: "echo-fault", options: #"{"chunks":1,"after_chunks":1,"fault":"silent"}"#)
            try bystander.await("text", 1)
            try wire.prompt(2, fault)
            // Others are answered meanwhile.
            let other = try Wire(house.daemon.socket)
            try other.send(#"{"id":1,"op":"models"}"#)
            #expect(try other.finish(1).last["event"]?.string == "done")
            #expect(try wire.finish(2).last["event"]?.string == "done")
            let after = try house.waitUntilBack("judge", after: before)
            #expect(!ProcFS.exists(before))
            try wire.prompt(3, "fine")
            #expect(try wire.finish(3).last["event"]?.string == "done")
            try bystander.send(#"{"id":2,"op":"cancel","target":1}"#)
            #expect(try bystander.finish(1).last.errorCode == "cancelled")
            try house.daemon.waitUntilIdle()
            let noted = try house.annotations().map { $0?["judge"]?["pid"]?.integer.map(Int32.init) }
            #expect(noted == [before, before, nil, after])
            #expect(try house.hook("judge")["deaths"]?.integer == 1)
        }

        @Test(arguments: faults)
        func aHookThatFailsRefusesWhereItMustAgree(fault: String) throws {
            let house = try self.house("closed")
            let before = try house.waitUntilBack("judge")
            let wire = try Wire(house.daemon.socket)
            try wire.prompt(1, fault)
            let (_, last) = try wire.finish(1)
            #expect(last.errorCode == "hook_failed", "\(last.text())")
            #expect(last["error"]?["retryable"] == .bool(true))
            #expect(last.errorMessage?.hasPrefix("hook 'judge' must agree to the request and ") == true)
            try house.waitUntilBack("judge", after: before)
            try wire.prompt(2, "fine")
            #expect(try wire.finish(2).last["event"]?.string == "done")
            #expect(try house.daemon.rowStates() == ["done": 1], "what is refused leaves nothing")
        }

        @Test func aHookThatDoesNotReadFillsNoMemory() throws {
            let house = try self.house("closed", timeout: "3s")
            let before = try house.waitUntilBack("judge")
            let wire = try Wire(house.daemon.socket)
            try wire.prompt(0, "deaf")
            let text = String(repeating: "x", count: 500_000)
            let idle = try ProcFS.kilobytes("VmRSS", of: house.daemon.pid)
            for id in 1...60 { try wire.prompt(id, text) }
            let last = try wire.finishAll(0...60)
            #expect(last.values.allSatisfy { $0.errorCode == "hook_failed" })
            // The prompts themselves wait, twice; what waits to be read by the hook is 2 MiB.
            #expect(try ProcFS.kilobytes("VmHWM", of: house.daemon.pid) - idle < 120_000)
            try house.waitUntilBack("judge", after: before)
            try wire.prompt(100, "fine")
            #expect(try wire.finish(100).last["event"]?.string == "done")
            #expect(try house.hook("judge")["failures"]?.integer ?? 0 >= 61)
        }

        @Test func aHookThatKeepsDyingIsParkedAndCostsNoTime() throws {
            let house = try self.house("closed")
            let wire = try Wire(house.daemon.socket)
            var id = 0
            try wait(for: "the hook to be parked") {
                id += 1
                try wire.prompt(id, "crash")
                #expect(try wire.finish(id).last.errorCode == "hook_failed")
                return try house.hook("judge")["state"]?.string == "parked"
            }
            try wire.prompt(1000, "fine")
            let last = try wire.finish(1000).last
            #expect(last.errorMessage?.contains("is not running (the last process: signal 6, SIGABRT)") == true)
        }

        @Test func oneHooksDeathDelaysNoOther() throws {
            let house = try HookHouse(
                [
                    .init(name: "model", program: "faulty.py", events: "default_model", onFailure: "closed"),
                    .init(name: "judge", program: "faulty.py", timeout: "60s", onFailure: "closed"),
                    .init(name: "told", program: "faulty.py", events: "after_response"),
                ],
                programs: ["faulty.py": HookHouse.faulty.replacing(", annotate={\"pid\": os.getpid()}", with: "")])
            for name in ["model", "judge", "told"] { try house.waitUntilBack(name) }
            kill(try house.process("model"), SIGSTOP)
            let wire = try Wire(house.daemon.socket)
            try wire.prompt(1, "needs a model")
            try wire.prompt(2, "needs none", model: "echo")
            #expect(try wire.finish(2).last["event"]?.string == "done")
            #expect(try wire.finish(1).last.errorCode == "hook_failed")
            try wait(for: "the one to be told") { try house.hook("told")["answers"]?.integer == 1 }
            #expect(try house.hook("judge")["deaths"]?.integer == 0)
        }

        @Test func whatIsAskedForIsWhatHappens() throws {
            let house = try HookHouse(
                [
                    .init(
                        name: "model", program: "say.py", arguments: [#"{'model': 'echo-fault'}"#],
                        events: "default_model"),
                    .init(
                        name: "filter", program: "say.py", arguments: [#"{'models': ['echo-fault']}"#],
                        events: "filter_models"),
                    .init(
                        name: "judge", program: "say.py",
                        arguments: [#"{'refuse': 'no'} if 'no' in question['prompt'] else {'annotate': question}"#]),
                ],
                programs: [
                    "say.py": HookHouse.faulty.components(separatedBy: "while True:")[0] + """
                        while True:
                            question = json.loads(read(struct.unpack(">I", read(4))[0]))
                            say(id=question["id"], **eval(sys.argv[1]))
                        """
                ],
                more: HookHouse.echo)
            let wire = try Wire(house.daemon.socket)
            try wire.prompt(1, "yes")
            #expect(try wire.finish(1).last["model"]?.string == "echo-fault")
            try wire.prompt(2, "yes", model: "echo")
            #expect(
                try wire.finish(2).last.errorMessage
                    == "the model 'echo' may not be used: hook 'filter' leaves it out; see op models")
            try wire.prompt(3, "no")
            let refused = try wire.finish(3).last
            #expect(refused.errorCode == "not_allowed")
            #expect(refused.errorMessage == "hook 'judge' refused the request: no")
            let question = try #require(try house.annotations().first??["judge"])
            #expect(question["event"]?.string == "before_prompt")
            #expect(question["caller"]?["uid"]?.integer == Int(getuid()))
            #expect(question["caller"]?["pid"]?.integer == Int(getpid()))
            #expect(try house.daemon.rowStates() == ["done": 1])
        }
    }
}
