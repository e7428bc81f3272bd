import Foundation
import Framing
import JSON
import Messages
import TestUpstream
import Testing

extension EndToEnd {
    /// Answers stream as they are made; who does not read holds up only itself.
    @Suite struct Streaming {
        private static let clients = 64

        private static func chunk(_ text: String, finish: String = "null") -> String {
            #"{"choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":\#(finish)}]}"#
        }

        @Test func theFirstChunkArrivesWhileTheUpstreamIsStillSendingForSixtyFourAtOnce() throws {
            let upstream = try TestUpstream()
            defer { upstream.stop() }
            let gate = UpstreamGate()
            upstream.script(
                "/v1/chat/completions",
                .events(
                    [Self.chunk("first")],
                    then: [
                        .wait(gate), .event(Self.chunk(" second")), .event(Self.chunk("", finish: #""stop""#)),
                        .event("[DONE]"),
                    ]))
            let daemon = try Daemon(
                "providers: {up: {type: openai-compatible, base_url: \(upstream.url("/v1")), models: [m], slots: \(Self.clients)}}"
            )
            var wires: [Wire] = []
            for _ in 0..<Self.clients {
                let wire = try Wire(daemon.socket)
                try wire.prompt(1, model: "m")
                wires.append(wire)
            }
            for wire in wires { #expect(try wire.await("text", 1)["text"]?.string == "first") }
            #expect(gate.awaitWaiting(Self.clients), "every answer is still being made")
            gate.open()
            for wire in wires {
                let (text, last) = try wire.finish(1)
                #expect(text == " second")
                #expect(last["finish_reason"]?.string == "stop")
            }
            #expect(try daemon.rowStates() == ["done": Self.clients])
        }

        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault, slots: 70, timeouts: {first_output: 20s, idle: 2s}}
            """

        @Test func sixtyFourThatStopReadingHoldUpOnlyThemselvesAndGiveEverythingBack() throws {
            let daemon = try Daemon(Self.configuration)
            let worker = try daemon.worker("fault")
            var stalled: [Wire] = []
            for _ in 0..<Self.clients {
                let wire = try Wire(daemon.socket)
                try wire.prompt(1, model: "echo-fault", options: #"{"fault":"flood","chunk_bytes":1000}"#)
                stalled.append(wire)
            }
            try wait(for: "every slot to be busy") { try daemon.provider("fault")["busy"]?.integer == Self.clients }
            try wait(for: "every slot to be blocked in its write") { try Self.isAtRest(worker) }
            // Longer than the idle timeout passes: one that is silent runs into it.
            let silent = try Wire(daemon.socket)
            try silent.prompt(1, model: "echo-fault", options: #"{"chunks":1,"after_chunks":1,"fault":"silent"}"#)
            #expect(try silent.finish(1).last.errorCode == "timeout")
            // Others stream on, from the same worker too.
            for model in ["echo", "echo-fault"] {
                let other = try Wire(daemon.socket)
                try other.prompt(1, model: model)
                #expect(try other.finish(1).last["event"]?.string == "done")
            }
            #expect(try daemon.provider("fault")["busy"]?.integer == Self.clients, "none of the stalled was ended")
            #expect(try daemon.worker("fault") == worker, "no worker was taken for hung")
            let peak = try ProcFS.kilobytes("VmHWM", of: daemon.pid)
            #expect(peak < 64 << 10, "the supervisor's peak is \(peak) kB")
            stalled.removeAll()
            try daemon.waitUntilIdle()
            #expect(try daemon.worker("fault") == worker)
            #expect(try daemon.provider("fault")["deaths"]?.integer == 0)
            #expect(try daemon.rowStates() == ["cancelled": Self.clients, "error": 1, "done": 2])
            #expect(try ProcFS.kilobytes("VmHWM", of: daemon.pid) < 64 << 10)
        }

        @Test func aStalledClientThatReadsAgainGetsEverything() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let chunks = 20_000
            try wire.prompt(1, model: "echo-fault", options: #"{"chunks":\#(chunks),"chunk_bytes":200}"#)
            let worker = try daemon.worker("fault")
            try wait(for: "the slot to be blocked") { try Self.isAtRest(worker) }
            var next = 0
            while true {
                let frame = try wire.next()
                if frame["event"]?.string == "done" { break }
                guard let text = frame["text"]?.string else { continue }
                #expect(text.hasPrefix("\(next) "), "pieces arrive whole and in order")
                next += 1
            }
            #expect(next == chunks)
        }

        @Test func aCancelReachesASlotThatIsBlockedOnItsSlowClient() throws {
            let daemon = try Daemon(Self.configuration)
            let worker = try daemon.worker("fault")
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-fault", options: #"{"fault":"flood","chunk_bytes":1000}"#)
            try wait(for: "the slot to be busy") { try daemon.provider("fault")["busy"]?.integer == 1 }
            try wait(for: "the slot to be blocked in its write") { try Self.isAtRest(worker) }
            try wire.send(#"{"id":2,"op":"cancel","target":1}"#)
            // Nothing of the flood was read, and the slot is free all the same.
            try wait(for: "the slot to be free") { try daemon.provider("fault")["busy"]?.integer == 0 }
            let last = try wire.finishAll([1, 2])
            #expect(last[1]?.errorCode == "cancelled")
            #expect(last[2]?["event"]?.string == "done")
            #expect(try daemon.worker("fault") == worker)
        }

        @Test func cheapQuestionsWhoseAnswersNobodyReadsStayBounded() throws {
            let daemon = try Daemon(Self.configuration)
            // Each answer is some twenty times as long as its question.
            let questions = (1...40_000).flatMap { FrameEncoder.encode(Array(#"{"id":\#($0),"op":"status"}"#.utf8)) }
            var wires: [(wire: Wire, sent: Int)] = []
            for _ in 0..<20 { wires.append((try Wire(daemon.socket), 0)) }
            try wait(for: "the daemon to read no more") {
                let before = wires.reduce(0) { $0 + $1.sent }
                for _ in 0..<20 {
                    for index in wires.indices where wires[index].sent < questions.count {
                        wires[index].sent += wires[index].wire.sendWhatFits(questions[wires[index].sent...])
                    }
                    usleep(5_000)
                }
                return wires.reduce(0) { $0 + $1.sent } == before
            }
            #expect(wires.allSatisfy { $0.sent < questions.count }, "it would have read everything")
            let peak = try ProcFS.kilobytes("VmHWM", of: daemon.pid)
            #expect(peak < 64 << 10, "the supervisor's peak is \(peak) kB")
            let other = try Wire(daemon.socket)
            try other.prompt(1, #"{"raw":"served"}"#)
            #expect(try other.finish(1).text == "served")
        }

        @Test func aClientThatLeavesFreesItsSlot() throws {
            let daemon = try Daemon(Self.configuration)
            for fault in ["silent", "flood"] {
                var wire: Wire? = try Wire(daemon.socket)
                try wire!.prompt(1, model: "echo-fault", options: #"{"chunks":1,"after_chunks":1,"fault":"\#(fault)"}"#)
                try wire!.await("text", 1)
                wire = nil
                try daemon.waitUntilIdle()
            }
            #expect(try daemon.rowStates() == ["cancelled": 2])
        }

        /// Whether a process has used no processor time for a while.
        private static func isAtRest(_ pid: Int32) throws -> Bool {
            let before = try ProcFS.processorTicks(pid)
            for _ in 0..<30 {
                usleep(5_000)
                if try ProcFS.processorTicks(pid) != before { return false }
            }
            return true
        }
    }
}
