import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// A provider that crashes, hangs or lies costs only its own requests; what dies comes back; every request has one
    /// row.
    @Suite struct Faults {
        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault, slots: 4, timeouts: {cancel: 500ms}}
            """

        /// Streams from the faulty provider until it has said something; returns the connection and the worker.
        private func streamed(_ daemon: Daemon, fault: String) throws -> Wire {
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-fault", options: #"{"chunks":3,"after_chunks":2,"fault":"\#(fault)"}"#)
            try wire.await("text", 1)
            return wire
        }

        /// A bystander on another provider gets its answer.
        private func expectBystander(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let bystander = try Wire(daemon.socket)
            try bystander.prompt(1, #"{"raw":"untouched"}"#)
            #expect(try bystander.finish(1).text == "untouched", sourceLocation: sourceLocation)
        }

        @Test(arguments: [
            "crash", "exit", "garbage", "huge_frame", "bad_json", "unknown_event", "long_event", "forged_code",
        ])
        func aWorkerThatDiesOrLiesCostsItsOwnRequest(fault: String) throws {
            let daemon = try Daemon(Self.configuration)
            try daemon.waitUntilIdle()
            let descriptors = try ProcFS.descriptorCount(daemon.pid)
            let supervisor = daemon.pid
            let before = try daemon.worker("fault")
            let echo = try daemon.worker("echo")
            let wire = try self.streamed(daemon, fault: fault)
            try self.expectBystander(daemon)
            let (_, last) = try wire.finish(1)
            #expect(["worker_crashed", "worker_misbehaved"].contains(last.errorCode), "\(last.text())")
            #expect(last.errorMessage?.contains("'fault'") == true, "the error names the provider")
            #expect(last["error"]?["retryable"] == .bool(true))
            try self.expectBystander(daemon)
            try daemon.waitUntilIdle()
            #expect(try daemon.worker("fault") != before, "the worker came back")
            #expect(try daemon.worker("echo") == echo, "the other provider's did not have to")
            #expect(daemon.pid == supervisor && daemon.process.isRunning)
            try wire.prompt(2, model: "echo-fault")
            #expect(try wire.finish(2).last["event"]?.string == "done")
            try wait(for: "the descriptors to be as before") {
                try ProcFS.descriptorCount(daemon.pid) <= descriptors + 1
            }
            let states = try daemon.rows("SELECT state FROM requests WHERE model = 'echo-fault' ORDER BY id").map {
                $0["state"] as String
            }
            #expect(states == ["crashed", "done"])
        }

        @Test func aWorkerKilledMidAnswerCostsItsOwnRequests() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            for id in 1...4 {
                try wire.prompt(id, model: "echo-fault", options: #"{"chunks":1,"fault":"silent","after_chunks":1}"#)
            }
            try wait(for: "all slots to be busy") { try daemon.provider("fault")["busy"]?.integer == 4 }
            kill(try daemon.worker("fault"), SIGKILL)
            let last = try wire.finishAll(1...4)
            #expect(last.values.allSatisfy { $0.errorCode == "worker_crashed" })
            #expect(last[1]?.errorMessage?.contains("SIGKILL") == true)
            try self.expectBystander(daemon)
            try daemon.waitUntilIdle()
            #expect(try daemon.rowStates() == ["crashed": 4, "done": 1])
        }

        @Test(arguments: ["two_lasts", "after_last"])
        func aLastFrameIsTheLastWhateverAWorkerSaysAfterwards(fault: String) throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-fault", options: #"{"fault":"\#(fault)"}"#)
            #expect(try wire.finish(1).last["event"]?.string == "done")
            try wait(for: "the worker to be replaced") { try daemon.provider("fault")["deaths"]?.integer == 1 }
            try daemon.waitUntilIdle()
            try wire.send(#"{"id":9,"op":"ping"}"#)
            let next = try wire.next()
            #expect(next["id"]?.integer == 9, "no second last frame: \(next.text())")
            #expect(try daemon.rowStates() == ["done": 1])
        }

        @Test func aHungSlotIsReplacedWhileItsNeighbourFinishes() throws {
            let daemon = try Daemon(Self.configuration)
            let before = try daemon.worker("fault")
            let neighbour = try Wire(daemon.socket)
            try neighbour.prompt(1, model: "echo-fault", options: #"{"chunks":1,"after_chunks":1,"fault":"silent"}"#)
            try neighbour.await("text", 1)
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-fault", options: #"{"fault":"hang"}"#, timeout: 200)
            let (_, last) = try wire.finish(1)
            #expect(last.errorCode == "timeout", "\(last.text())")
            // New work goes to a new process; the neighbour still runs in the old one.
            try wire.prompt(2, model: "echo-fault")
            #expect(try wire.finish(2).last["event"]?.string == "done")
            #expect(try daemon.worker("fault") != before)
            #expect(ProcFS.exists(before))
            try neighbour.send(#"{"id":2,"op":"cancel","target":1}"#)
            #expect(try neighbour.finish(1).last.errorCode == "cancelled")
            try wait(for: "the old process to be gone") { !ProcFS.exists(before) }
            try daemon.waitUntilIdle()
            try self.expectBystander(daemon)
            #expect(try daemon.rowStates() == ["error": 1, "cancelled": 1, "done": 2])
        }

        @Test func aProcessThatStandsStillIsKilledAndItsRequestToldSo() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try self.streamed(daemon, fault: "stop")
            try self.expectBystander(daemon)
            let (_, last) = try wire.finish(1)
            #expect(last.errorCode == "worker_hung", "\(last.text())")
            try daemon.waitUntilIdle()
            try self.expectBystander(daemon)
        }

        @Test func aProviderThatKeepsDyingIsParkedWithAClearError() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            var id = 0
            var last: JSONValue = .null
            for _ in 0..<20 where last.errorCode != "provider_unavailable" {
                id += 1
                try wire.prompt(id, model: "echo-fault", options: #"{"fault":"crash"}"#)
                last = try wire.finish(id).last
            }
            #expect(last.errorCode == "provider_unavailable", "\(last.text())")
            #expect(last.errorMessage?.contains("SIGSEGV") == true)
            #expect(try daemon.provider("fault")["state"]?.string == "parked")
            try self.expectBystander(daemon)
        }

        @Test func aLoggerKilledWithAThousandRequestsInFlightLosesNone() throws {
            let daemon = try Daemon(Self.configuration)
            var wires: [Wire] = []
            for _ in 0..<10 {
                let wire = try Wire(daemon.socket)
                for id in 1...100 { try wire.prompt(id, #"{"raw":"\#(id)"}"#) }
                wires.append(wire)
            }
            for _ in 0..<3 {
                let logger = try daemon.loggerProcess
                kill(logger, SIGKILL)
                try wait(for: "a new logger") {
                    let status = try daemon.status()["logger"]
                    return status?["state"]?.string == "ready" && status?["pid"]?.integer != Int(logger)
                }
            }
            for wire in wires {
                let last = try wire.finishAll(1...100)
                #expect(last.values.allSatisfy { $0["event"]?.string == "done" })
            }
            #expect(try daemon.rowStates() == ["done": 1000])
            #expect(try daemon.rows("PRAGMA integrity_check")[0]["integrity_check"] as String? == "ok")
        }

        @Test func aSupervisorKilledTakesItsChildrenAlongAndTheNextOneClosesWhatWasOpen() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            for id in 1...3 {
                try wire.prompt(id, model: "echo-fault", options: #"{"chunks":1,"after_chunks":1,"fault":"silent"}"#)
            }
            try wait(for: "the slots to be busy") { try daemon.provider("fault")["busy"]?.integer == 3 }
            try wire.prompt(4, #"{"raw":"done before"}"#)
            _ = try wire.finishAll([4])
            let children = [try daemon.worker("fault"), try daemon.worker("echo"), try daemon.loggerProcess]
            kill(daemon.pid, SIGKILL)
            try wait(for: "every child to end") { !children.contains(where: ProcFS.exists) }
            #expect(try daemon.rowStates() == ["open": 3, "done": 1])
            try daemon.start()
            #expect(try daemon.rowStates() == ["lost": 3, "done": 1])
            try self.expectBystander(daemon)
        }

        @Test func aStopFinishesOpenRequestsWithinItsBound() throws {
            let daemon = try Daemon(Self.configuration + "\ndrain_timeout: 500ms")
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-fault", options: #"{"chunks":3,"interval_ms":50}"#)
            try wire.prompt(2, model: "echo-fault", options: #"{"chunks":1,"after_chunks":1,"fault":"silent"}"#)
            try wait(for: "both to run") { try daemon.provider("fault")["busy"]?.integer == 2 }
            kill(daemon.pid, SIGTERM)
            let last = try wire.finishAll([1, 2])
            #expect(last[1]?["event"]?.string == "done", "what can finish does")
            #expect(last[2]?.errorCode == "shutting_down", "what cannot is told so")
            try wait(for: "the daemon to stop") { !daemon.process.isRunning }
            #expect(daemon.process.terminationStatus == 0)
            #expect(try daemon.rowStates() == ["done": 1, "error": 1])
        }
    }
}
