import BulkheadClient
import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// Groups over the real socket, with a provider that answers when it is told to.
    @Suite struct Groups {
        private let upstream: TestUpstream
        private let gate = UpstreamGate()
        private static let path = "/v1/chat/completions"

        init() throws {
            self.upstream = try TestUpstream()
            let delta = #"{"choices":[{"delta":{"content":"hello"}}]}"#
            self.upstream.script(Self.path, .events([delta], then: [.wait(self.gate), .event("[DONE]")]))
        }

        /// A daemon with echo, and a provider that says half of its answers before the gate is opened.
        private func daemon() throws -> Daemon {
            try Daemon(
                """
                default_model: echo
                providers:
                  echo: {type: echo}
                  held: {type: openai-compatible, base_url: "\(self.upstream.url("/v1"))", models: [m], slots: 4}
                """)
        }

        private func begin(_ wire: Wire, _ members: String = "") throws -> String {
            try wire.send(#"{"id":1,"op":"group_begin"\#(members)}"#)
            return try #require(try wire.next()["group"]?.string)
        }

        @Test func theEndOfAGroupComesAfterTheLastFramesOfItsRequests() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            let group = try self.begin(wire, #","model":"m","purpose":"work""#)
            try wire.send(#"{"id":2,"op":"prompt","prompt":"a","group":"\#(group)"}"#)
            try wire.send(#"{"id":3,"op":"prompt","prompt":"b","group":"\#(group)","stream":false}"#)
            try wire.send(#"{"id":4,"op":"prompt","prompt":"c","model":"echo","group":"\#(group)"}"#)
            #expect(try wire.finish(4).last.errorCode == "invalid_request")
            try wire.send(#"{"id":5,"op":"group_end","group":"\#(group)"}"#)
            try wire.send(#"{"id":6,"op":"prompt","prompt":"late","group":"\#(group)"}"#)
            #expect(try wire.finish(6).last.errorCode == "not_found")
            #expect(try daemon.status()["requests"]?["groups"]?.integer == 1)
            #expect(self.gate.awaitWaiting(2))
            self.gate.open()
            var last: [Int] = []
            while last.count < 3 {
                let frame = try wire.next()
                guard ["done", "error"].contains(frame["event"]?.string), let id = frame["id"]?.integer else {
                    continue
                }
                last.append(id)
                if id == 5 {
                    #expect(frame["group"]?.string == group && frame["requests"]?.integer == 2, "\(frame.text())")
                }
            }
            #expect(last.last == 5 && Set(last) == [2, 3, 5], "\(last)")
            #expect(try daemon.rows().map { $0["group_id"] as String? } == [group, group])
            #expect(try daemon.rowStates() == ["done": 2])
            #expect(try daemon.status()["requests"]?["groups"]?.integer == 0)
        }

        @Test func aClientThatDiesInTheMiddleEndsItsGroups() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            var wire: Wire? = try Wire(daemon.socket)
            let group = try self.begin(wire!)
            try wire!.send(#"{"id":2,"op":"prompt","prompt":"a","model":"m","group":"\#(group)"}"#)
            try wire!.await("text", 2)
            #expect(try daemon.status()["requests"]?["groups"]?.integer == 1)
            wire = nil
            try wait(for: "the row to be closed") { try daemon.rowStates() == ["cancelled": 1] }
            try wait(for: "the group to be gone") { try daemon.status()["requests"]?["groups"]?.integer == 0 }
            let other = try Wire(daemon.socket)
            try other.send(#"{"id":1,"op":"group_end","group":"\#(group)"}"#)
            #expect(try other.next().errorCode == "not_found")
        }

        @Test func aDrainWaitsForTheRequestsOfAGroupAndAnswersWhoWaitsForIt() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            let (group, idle) = (try self.begin(wire), try self.begin(wire))
            try wire.send(#"{"id":2,"op":"prompt","prompt":"a","model":"m","group":"\#(group)"}"#)
            try wire.await("text", 2)
            kill(daemon.pid, SIGTERM)
            try wait(for: "the drain to begin") {
                try wire.send(#"{"id":3,"op":"group_begin"}"#)
                let answer = try wire.finish(3).last
                guard let another = answer["group"]?.string else { return answer.errorCode == "shutting_down" }
                try wire.send(#"{"id":3,"op":"group_end","group":"\#(another)"}"#)
                _ = try wire.finish(3)
                return false
            }
            try wire.send(#"{"id":4,"op":"group_end","group":"\#(group)"}"#)
            self.gate.open()
            #expect(try wire.finish(2).last["event"]?.string == "done")
            #expect(try wire.finish(4).last["requests"]?.integer == 1)
            #expect(idle != group)
            try wait(for: "the daemon to stop: \(daemon.log)") { !daemon.process.isRunning }
            #expect(daemon.process.terminationStatus == 0)
        }

        // MARK: The Swift client

        private struct Mishap: Error {}

        @Test func theSwiftClientEndsAGroupAlsoWhenItsBodyThrows() async throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let client = try await BulkheadClient.connect(daemon.socket)
            let text = try await client.group(purpose: "work", model: "echo") { group in
                #expect(try daemon.status()["requests"]?["groups"]?.integer == 1)
                let text = try await group.complete(PromptRequest(prompt: #"{"raw": "hello"}"#)).text
                _ = try await group.prompt(PromptRequest(prompt: "hi")).reduce(0) { count, _ in count + 1 }
                return text
            }
            #expect(text == "hello")
            self.upstream.script("/v1/embeddings", .json(#"{"data":[{"embedding":[1.5],"index":0}]}"#))
            let floats = try await client.group(actor: "alice") { group in
                _ = try await group.chain(PromptRequest(prompt: "hi"), tools: []).completion()
                return try await group.embed(EmbedRequest(["a"], model: "m", actor: "alice")).vectors.map(\.floats)
            }
            #expect(floats == [[1.5]])
            #expect(try daemon.status()["requests"]?["groups"]?.integer == 0)
            await #expect(throws: Mishap.self) {
                try await client.group { group in
                    _ = try await group.complete(PromptRequest(prompt: "hi"))
                    throw Mishap()
                }
            }
            #expect(try daemon.status()["requests"]?["groups"]?.integer == 0)
            let failure = await #expect(throws: ClientError.self) {
                try await client.group(model: "ecko") { _ in Issue.record("a group for a model that is not there") }
            }
            guard case .failure(let failure)? = failure else { return }
            #expect(failure.code == .unknownModel)
            try await client.ping()
        }

        @Test func aTaskThatIsCancelledInAGroupEndsItAndLeavesTheConnectionGood() async throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let client = try await BulkheadClient.connect(daemon.socket)
            let task = Task {
                try await client.group(model: "m") { group in
                    try await group.complete(PromptRequest(prompt: "hi")).text
                }
            }
            try await eventually("the provider to be asked") { self.gate.hasWaiting }
            task.cancel()
            let result = await task.result
            #expect(throws: ClientError.cancelled) { try result.get() }
            try await eventually("the group to be gone") {
                try daemon.status()["requests"]?["groups"]?.integer == 0
            }
            try await client.ping()
        }
    }
}
