import BulkheadClient
import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// The Swift client and the real daemon.
    @Suite struct Client {
        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault, slots: 4}
            """

        /// A prompt to echo-fault.
        private func fault(_ options: String) throws -> PromptRequest {
            PromptRequest(prompt: "hi", model: "echo-fault", options: try JSONValue(parsing: options))
        }

        /// A prompt that echo answers with `text`.
        private func raw(_ text: String) -> PromptRequest {
            PromptRequest(prompt: #"{"raw":"\#(text)"}"#, model: "echo")
        }

        @Test func anAnswerIsASequenceOfEvents() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            var names: [String] = []
            var text = ""
            var identifier: String?
            for try await event in try client.prompt(self.fault(#"{"chunks":3,"chunk_bytes":4}"#)) {
                switch event {
                case .start(let start):
                    names.append("start")
                    #expect([start.model, start.provider] == ["echo-fault", "fault"])
                    identifier = start.request
                case .text(let piece):
                    names.append("text")
                    text += piece
                case .done(let completion):
                    names.append("done")
                    #expect(completion.usage?.output == 3)
                    #expect(completion.request == identifier)
                default: names.append("\(event)")
                }
            }
            #expect(names == ["start", "text", "text", "text", "done"])
            #expect(text == "0 ..1 ..2 ..")
            #expect(try daemon.rows().map { $0["id"] as String? } == [identifier])
        }

        @Test func aWholeAnswerModelsStatusAndPingAnswer() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let completion = try await client.complete(self.raw("all at once"))
            #expect(completion.text == "all at once")
            #expect(completion.model == "echo")
            #expect(try await client.models().filter(\.isDefault).map(\.id) == ["echo"])
            #expect(try await client.status().pid == Int(daemon.pid))
            try await client.ping()
            let failure = await #expect(throws: ClientError.self) {
                try await client.complete(PromptRequest(prompt: "hi", model: "ecko"))
            }
            guard case .failure(let failure)? = failure else { return }
            #expect(failure.code == .unknownModel)
            #expect(try daemon.rowStates() == ["done": 1])
        }

        @Test func aCancelledTaskEndsItsRequestAndNoOther() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            let (texts, told) = AsyncStream.makeStream(of: String.self)
            let request = try self.fault(#"{"chunks":1,"after_chunks":1,"fault":"silent"}"#)
            let task = Task {
                for try await event in client.prompt(request) {
                    if case .text(let text) = event { told.yield(text) }
                }
            }
            #expect(await texts.first { _ in true } == "0 ..............")
            task.cancel()
            let result = await task.result
            #expect(throws: ClientError.cancelled) { try result.get() }
            #expect(
                try await client.complete(self.raw("untouched")).text == "untouched",
                "the connection is good for others")
            try await eventually("the row to be closed") { try daemon.rowStates() == ["cancelled": 1, "done": 1] }
            try await eventually("the slot to be free") { try daemon.provider("fault")["busy"]?.integer == 0 }
            #expect(try daemon.provider("fault")["deaths"]?.integer == 0)
        }

        @Test func leavingTheLoopEndsTheRequest() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            for try await event in try client.prompt(self.fault(#"{"fault":"flood"}"#)) {
                if case .text = event { break }
            }
            try await eventually("the row to be closed") { try daemon.rowStates() == ["cancelled": 1] }
            #expect(try await client.complete(self.raw("untouched")).text == "untouched")
        }

        @Test func manyTasksOfTwoClientsEachGetTheirOwnAnswer() async throws {
            let daemon = try Daemon(Self.configuration)
            let clients = [
                try await BulkheadClient.connect(daemon.socket), try await BulkheadClient.connect(daemon.socket),
            ]
            let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<100 {
                    let request = self.raw("answer \(number)")
                    group.addTask {
                        var text = ""
                        for try await event in clients[number % 2].prompt(request) {
                            if case .text(let piece) = event { text += piece }
                        }
                        return (number, text)
                    }
                }
                return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
            }
            #expect(answers.count == 100)
            #expect(answers.allSatisfy { $0.value == "answer \($0.key)" })
            #expect(try daemon.rowStates() == ["done": 100])
        }

        @Test func aClientThatIsDroppedClosesItsConnectionAndEndsItsRequests() async throws {
            let daemon = try Daemon(Self.configuration)
            var client: BulkheadClient? = try await BulkheadClient.connect(daemon.socket)
            var answer = try client?.prompt(self.fault(#"{"fault":"silent"}"#))
            try await eventually("the request to run") { try daemon.provider("fault")["busy"]?.integer == 1 }
            (client, answer) = (nil, nil)
            #expect(client == nil && answer == nil)
            try await eventually("the row to be closed") { try daemon.rowStates() == ["cancelled": 1] }
            try await eventually("the connection to be closed") { try daemon.status()["connections"]?.integer == 1 }
        }

        @Test func aDaemonThatDiesIsToldToWhoWaits() async throws {
            let daemon = try Daemon(Self.configuration)
            let client = try await BulkheadClient.connect(daemon.socket)
            var answer = try client.prompt(self.fault(#"{"chunks":1,"after_chunks":1,"fault":"silent"}"#))
                .makeAsyncIterator()
            guard case .start? = try await answer.next() else { throw Unexpected() }
            kill(daemon.pid, SIGKILL)
            await #expect(throws: ClientError.daemonGone) { while try await answer.next() != nil {} }
            await #expect(throws: ClientError.daemonGone) { try await client.ping() }
            // The kernel closes one descriptor after the other: the connection may be gone before the socket that listens.
            try await eventually("the daemon to be dead") { !daemon.process.isRunning }
            await #expect(throws: ClientError.cannotConnect(path: daemon.socket, errno: ECONNREFUSED)) {
                try await BulkheadClient.connect(daemon.socket)
            }
            try daemon.start()
            let again = try await BulkheadClient.connect(daemon.socket)
            #expect(try await again.complete(self.raw("back")).text == "back")
            #expect(try daemon.rowStates() == ["lost": 1, "done": 1])
        }

        struct Unexpected: Error {}
    }
}
