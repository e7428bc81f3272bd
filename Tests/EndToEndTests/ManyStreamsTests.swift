import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// A provider's slots are independent of one another, however slow each stream is, and cost what docs/operations.md says.
    @Suite struct ManyStreams {
        private static let count = 200
        /// What the two processes may have held at most, in MiB.
        private static let workerBound = 64
        private static let supervisorBound = 32

        private let upstream: TestUpstream
        private let gates = (0..<count).map { _ in UpstreamGate() }

        init() throws {
            self.upstream = try TestUpstream()
            let gates = self.gates
            self.upstream.script("/v1/chat/completions") { request in
                // The prompt is a number.
                let prompt = try? JSONValue(parsing: request.body)["messages"]?[0]?["content"]?.string
                let number = prompt.flatMap { Int($0) } ?? 0
                let api = SpokenAPI.chatCompletions
                return api.afterText(
                    [.wait(gates[number]), .event(api.text)] + api.end.map(UpstreamResponse.Step.event))
            }
        }

        /// The daemon of a shell whose processes may open 1,024 descriptors: it raises that for itself and its workers.
        private func daemon() throws -> Daemon {
            let provider =
                "  chat: {type: openai-compatible, base_url: \"\(self.upstream.url("/v1"))\", models: [chat], slots: \(Self.count)}"
            return try Daemon(
                "providers:\n  echo: {type: echo}\n" + provider,
                launcher: ["/bin/sh", "-c", #"ulimit -S -n 1024; exec "$0" "$@""#])
        }

        @Test func twoHundredSlowStreamsGoOnSideBySideInOneProcess() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let worker = try daemon.worker("chat")
            let descriptors = try ProcFS.descriptorCount(worker)
            // A connection may have 128 requests open.
            let wires = [try Wire(daemon.socket), try Wire(daemon.socket)]
            let numbers = [0..<Self.count / 2, Self.count / 2..<Self.count]
            for (wire, numbers) in zip(wires, numbers) {
                for number in numbers { try wire.prompt(number, "\(number)", model: "chat") }
            }
            for (wire, numbers) in zip(wires, numbers) {
                var silent = Set(numbers)
                while !silent.isEmpty {
                    let frame = try wire.next()
                    let event = frame["event"]?.string
                    try #require(event == "start" || event == "text", "\(frame.text())")
                    if event == "text" { silent.remove(try #require(frame["id"]?.integer)) }
                }
            }
            // Each has said something, and none has ended.
            #expect(self.upstream.openConnections == Self.count)
            #expect(try daemon.provider("chat")["busy"]?.integer == Self.count)
            let bystander = try Wire(daemon.socket)
            try bystander.prompt(1, #"{"raw":"untouched"}"#, model: "echo")
            #expect(try bystander.finish(1).text == "untouched")
            try self.expectBounds(daemon, worker, descriptors)

            // They end in the reverse order, each alone: nothing waits for what began before it.
            for (wire, numbers) in zip(wires, numbers).reversed() {
                for number in numbers.reversed() {
                    self.gates[number].open()
                    #expect(try wire.next()["text"]?.string == "one ")
                    let last = try wire.next()
                    #expect(last["id"]?.integer == number && last["event"]?.string == "done", "\(last.text())")
                }
            }
            try daemon.waitUntilIdle()
            #expect(try daemon.worker("chat") == worker)
            #expect(try daemon.provider("chat")["starts"]?.integer == 1)
            #expect(try daemon.rowStates() == ["done": Self.count + 1])
            #expect(self.upstream.mostOpenConnections == Self.count)
            #expect(self.upstream.acceptedConnections == Self.count)
        }

        private func expectBounds(_ daemon: Daemon, _ worker: Int32, _ descriptors: Int) throws {
            let peaks = (
                worker: try ProcFS.kilobytes("VmHWM", of: worker),
                supervisor: try ProcFS.kilobytes("VmHWM", of: daemon.pid)
            )
            #expect(peaks.worker < Self.workerBound << 10)
            #expect(peaks.supervisor < Self.supervisorBound << 10)
            #expect(try ProcFS.kilobytes("VmHWM", of: try daemon.worker("echo")) < 32 << 10, "16 slots")
            // A slot has its thread; the control channel has the first.
            #expect(try ProcFS.threadCount(worker) == Self.count + 1)
            // One connection for each slot.
            if descriptors > 0 { #expect(try ProcFS.descriptorCount(worker) == descriptors + Self.count) }
        }
    }
}
