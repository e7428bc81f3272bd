import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

/// A daemon with a provider of one slot for each API, all at one upstream, and a bystander.
final class HostileHouse {
    let daemon: Daemon
    private let upstream: TestUpstream
    private let wire: Wire
    /// By provider, from the start.
    private var workers: [String: Int32] = [:]
    private var descriptors: [String: Int] = [:]
    private var nextID = 1

    static let key = "sk-planted-0123456789"
    /// What a worker of one slot may have held at most, in MiB (docs/operations.md, "Memory").
    static let memoryBound = 96

    /// - Parameter timeouts: Of every provider but the bystander.
    init(_ upstream: TestUpstream, timeouts: String? = nil) throws {
        let more = timeouts.map { ", timeouts: \($0)" } ?? ""
        let providers = SpokenAPI.all.map { $0.configuration(at: upstream.url(), more: more) }
        self.upstream = upstream
        self.daemon = try Daemon(
            (["providers:", "  echo: {type: echo}"] + providers).joined(separator: "\n"),
            environment: ["KEY": Self.key])
        self.wire = try Wire(self.daemon.socket)
        try self.expectServing()
        for api in SpokenAPI.all {
            let pid = try self.daemon.worker(api.name)
            self.workers[api.name] = pid
            self.descriptors[api.name] = try ProcFS.descriptorCount(pid)
        }
    }

    /// What came of one request.
    struct Outcome {
        var text = ""
        var last = JSONValue.null
    }

    /// Asks each provider once, all at the same time, and a bystander in between.
    ///
    /// - Parameter isAfterText: Whether the responses begin with a piece of text; what follows it is sent when that has arrived.
    func ask(
        isStreamed: Bool, isAfterText: Bool = false, _ respond: (SpokenAPI) -> UpstreamResponse
    ) throws -> [Outcome] {
        let gate = UpstreamGate()
        for api in SpokenAPI.all {
            var response = respond(api)
            if isAfterText { response.steps.insert(.wait(gate), at: api.beginning.count + 1) }
            for path in api.paths { self.upstream.script(path, response) }
        }
        let first = self.nextID
        let bystander = first + SpokenAPI.all.count
        self.nextID = bystander + 1
        for (index, api) in SpokenAPI.all.enumerated() {
            try self.wire.prompt(first + index, model: api.name, stream: isStreamed)
        }
        var outcomes = [Outcome](repeating: Outcome(), count: SpokenAPI.all.count)
        func read(until isEnough: () -> Bool) throws {
            while !isEnough() {
                let frame = try self.wire.next()
                let index = try #require(frame["id"]?.integer) - first
                guard outcomes.indices.contains(index) else { continue }
                #expect(outcomes[index].last == .null, "\(frame.text()) after the last frame")
                switch frame["event"]?.string {
                case "text": outcomes[index].text += frame["text"]?.string ?? ""
                case "done", "error": outcomes[index].last = frame
                default: break
                }
            }
        }
        if isAfterText {
            // A reset takes along what was sent and is not read yet.
            #expect(gate.awaitWaiting(SpokenAPI.all.count))
            if isStreamed { try read { outcomes.allSatisfy { !$0.text.isEmpty || $0.last != .null } } }
        }
        let other = try Wire(self.daemon.socket)
        try other.prompt(1, #"{"raw":"untouched"}"#, model: "echo")
        #expect(try other.finish(1).text == "untouched", "a bystander is served")
        gate.open()
        try read { outcomes.allSatisfy { $0.last != .null } }
        return outcomes
    }

    /// A fault ends each request with one error, which is on record, together with what was said before.
    func expect(_ fault: UpstreamFault, isStreamed: Bool) throws {
        let outcomes = try self.ask(isStreamed: isStreamed, isAfterText: fault.isAfterText, fault.respond)
        try self.wire.send(#"{"id":"logs","op":"logs","limit":10}"#)
        let logs = try self.wire.next()
        #expect(logs["id"]?.string == "logs", "no frame after the last one of a request: \(logs.text())")
        let rows = Dictionary(uniqueKeysWithValues: try self.daemon.rows().map { ($0["id"] as String, $0) })
        // A whole answer has no output before its end.
        let message = fault.isSilent && !isStreamed ? "first_output timeout" : fault.message
        for (api, outcome) in zip(SpokenAPI.all, outcomes) {
            let what: Comment = "\(api.name), \(isStreamed ? "streamed" : "whole"): \(outcome.last.text())"
            #expect(outcome.last.errorCode == fault.code, what)
            #expect(outcome.last.errorMessage?.contains(message) == true, what)
            #expect(outcome.last.errorMessage?.contains(Self.key) == false, what)
            #expect(outcome.last["error"]?["retryable"] == .bool(fault.isRetryable), what)
            let text = fault.isAfterText && isStreamed ? "one " : ""
            #expect(outcome.text == text, what)
            let ulid = try #require(outcome.last["request"]?.string, what)
            let row = try #require(rows[ulid], what)
            #expect(row["state"] as String? == "error", what)
            #expect(row["error_code"] as String? == fault.code, what)
            let log = try #require(logs["logs"]?.array?.first { $0["id"]?.string == ulid }, what)
            #expect(log["response"]?.string ?? "" == text, what)
            #expect(log["error"]?["code"]?.string == fault.code, what)
        }
    }

    /// Every provider answers again, in the process that it had from the start, which holds no more than before.
    func expectNothingLeft() throws {
        try self.expectServing()
        for api in SpokenAPI.all {
            let provider = try self.daemon.provider(api.name)
            #expect(provider["starts"]?.integer == 1 && provider["deaths"]?.integer == 0, "\(provider.text())")
            let pid = try self.daemon.worker(api.name)
            #expect(pid == self.workers[api.name])
            let before = try #require(self.descriptors[api.name])
            try wait(for: "the descriptors of \(api.name) to be \(before), as before") {
                try ProcFS.descriptorCount(pid) <= before
            }
            let peak = try ProcFS.kilobytes("VmHWM", of: pid)
            #expect(peak < Self.memoryBound << 10, "\(api.name): \(peak) kB")
        }
        #expect(self.upstream.awaitOpenConnections(atMost: SpokenAPI.all.count))
    }

    /// Every provider answers; on a busy machine not at once, where timeouts are short.
    private func expectServing() throws {
        for api in SpokenAPI.all { for path in api.paths { self.upstream.script(path, .json(api.whole)) } }
        for api in SpokenAPI.all {
            try wait(for: "an answer of \(api.name)") {
                self.nextID += 1
                try self.wire.prompt(self.nextID, model: api.name)
                let answer = try self.wire.finish(self.nextID)
                #expect(
                    answer.text == "hello" || answer.last.errorCode == "timeout", "\(api.name): \(answer.last.text())")
                return answer.text == "hello"
            }
        }
    }
}
