import Foundation
import GRDB
import JSON
import Messages
import Testing

extension EndToEnd {
    /// A prompt that names its conversation goes on where the record ends, whatever has died since.
    @Suite struct Conversations {
        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault, slots: 4, timeouts: {cancel: 500ms}}
            """

        /// Prompts, and returns what the model was told of before, and the last frame.
        private func ask(
            _ wire: Wire, _ id: Int, _ prompt: String, in conversation: String? = nil, members: String = ""
        ) throws -> (previous: [String], last: JSONValue) {
            let name = conversation.map { #","conversation":"\#($0)""# } ?? ""
            try wire.send(#"{"id":\#(id),"op":"prompt","prompt":"\#(prompt)","stream":false\#(name)\#(members)}"#)
            let last = try wire.finish(id).last
            let answer = try? JSONValue(parsing: last["text"]?.string ?? "null")
            return (answer?["previous"]?.array?.compactMap { $0["prompt"]?.string } ?? [], last)
        }

        @Test func itGoesOnAfterARestartAndAfterADeathOfEveryProcess() throws {
            let daemon = try Daemon(Self.configuration)
            var wire = try Wire(daemon.socket)
            let first = try self.ask(wire, 1, "one", members: #","system":"be brief""#)
            let conversation = try #require(first.last["conversation"]?.string)
            #expect(conversation == first.last["request"]?.string, "a conversation has the name of its first request")

            let second = try self.ask(wire, 2, "two", in: conversation)
            #expect(second.previous == ["one"])
            #expect(second.last["conversation"]?.string == conversation)

            let reader = Int32(try #require(try daemon.status()["reader"]?["pid"]?.integer))
            for process in [reader, try daemon.loggerProcess, try daemon.worker("echo")] { kill(process, SIGKILL) }
            #expect(try self.ask(wire, 3, "three", in: conversation).previous == ["one", "two"])

            try daemon.stop()
            try daemon.start()
            wire = try Wire(daemon.socket)
            #expect(try self.ask(wire, 4, "four", in: conversation).previous == ["one", "two", "three"])

            kill(daemon.pid, SIGKILL)
            try wait(for: "the supervisor to be gone") { !daemon.process.isRunning }
            try daemon.start()
            wire = try Wire(daemon.socket)
            #expect(try self.ask(wire, 5, "five", in: conversation).previous == ["one", "two", "three", "four"])
            let threads = try daemon.rows("SELECT id, name FROM threads")
            #expect(threads.map { $0["id"] as String } == [conversation])
            #expect(threads[0]["name"] == "one")
        }

        @Test func aSecondPromptWaitsForTheRecordOfTheFirst() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let conversation = try #require(try self.ask(wire, 1, "one").last["conversation"]?.string)
            // All at once, on several connections: each knows all that were admitted before it.
            let others = try (0..<4).map { _ in try Wire(daemon.socket) }
            for (index, other) in others.enumerated() {
                try other.send(
                    #"{"id":1,"op":"prompt","prompt":"p\#(index)","stream":false,"conversation":"\#(conversation)"}"#)
            }
            let histories = try others.map { other in
                let last = try other.finish(1).last
                return try JSONValue(parsing: try #require(last["text"]?.string))["previous"]?.array?.count
            }
            #expect(histories.compactMap { $0 }.sorted() == [1, 2, 3, 4])
        }

        @Test func aFirstAnswerThatIsStillComingIsWaitedFor() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, "one", model: "echo-fault", options: #"{"chunks":1,"fault":"silent","after_chunks":1}"#)
            let conversation = try #require(try wire.await("start", 1)["conversation"]?.string)
            try wire.send(
                #"{"id":2,"op":"prompt","prompt":"two","model":"echo","stream":false,"conversation":"\#(conversation)"}"#
            )
            // Other requests are served while it waits.
            #expect(try self.ask(wire, 3, "elsewhere").last["event"]?.string == "done")
            try wire.send(#"{"id":4,"op":"cancel","target":1}"#)
            let last = try wire.finish(2).last
            #expect(last["event"]?.string == "done", "\(last.text())")
            // What was cancelled left the conversation where it was, and is on record all the same.
            #expect(try JSONValue(parsing: try #require(last["text"]?.string))["previous"]?.array?.isEmpty == true)
            let turns = try daemon.rows("SELECT id FROM turns WHERE thread_id = '\(conversation)'")
            #expect(turns.count == 2)
        }

        @Test func aWrongConversationIsRefusedAndSaysWhatToDo() throws {
            let daemon = try Daemon(Self.configuration)
            let wire = try Wire(daemon.socket)
            let unknown = try self.ask(wire, 1, "hi", in: "01k9x3fzzzt4bq6h1e8w5m0n2c").last
            #expect(unknown.errorCode == "not_found", "\(unknown.text())")
            #expect(unknown["request"] == nil, "nothing was admitted")
            let first = try self.ask(wire, 2, "one", members: #","system":"be brief""#).last
            let conversation = try #require(first["conversation"]?.string)
            let same = try self.ask(wire, 3, "two", in: conversation, members: #","system":"be brief""#)
            #expect(same.previous == ["one"])
            let other = try self.ask(wire, 4, "three", in: conversation, members: #","system":"be long""#).last
            #expect(other.errorCode == "invalid_request")
            #expect(other.errorMessage?.contains("leave out 'system'") == true)
            #expect(try self.ask(wire, 5, "four", in: conversation).previous == ["one", "two"])
            #expect(try daemon.rowStates() == ["done": 3])
        }

        @Test func withoutPromptsOnRecordThereIsNoneAndNothingIsStored() throws {
            let daemon = try Daemon(Self.configuration + "\nlog: {prompts: false}")
            let wire = try Wire(daemon.socket)
            let first = try self.ask(wire, 1, "a secret").last
            #expect(first["conversation"] == nil)
            let request = try #require(first["request"]?.string)
            #expect(try self.ask(wire, 2, "more", in: request).last.errorCode == "not_found")
            #expect(try daemon.rowStates() == ["done": 1])
            try daemon.stop()
            let files = try FileManager.default.contentsOfDirectory(
                at: daemon.stateDirectory, includingPropertiesForKeys: nil)
            for file in files { #expect(try Data(contentsOf: file).range(of: Data("a secret".utf8)) == nil) }
        }

        @Test(.enabled(if: LocalUser.isPossible, LocalUser.reason))
        func aConversationIsItsOwnersAndTheRecordShowsEachUserTheirs() throws {
            let daemon = try Daemon(Self.configuration + "\nsocket: {mode: \"0666\"}")
            let root = try Wire(daemon.socket)
            let secret = try self.ask(root, 1, "of root").last
            let conversation = try #require(secret["conversation"]?.string)
            // The kernel says who a client is when it connects.
            let nobody = try LocalUser(uid: 65_534, gid: 65_534).connect(daemon)
            #expect(try self.ask(nobody, 1, "hi", in: conversation).last.errorCode == "not_found")
            let own = try self.ask(nobody, 2, "of nobody").last
            try nobody.send(#"{"id":3,"op":"logs"}"#)
            let seen = try nobody.finish(3).last["logs"]?.array ?? []
            #expect(seen.map { $0["prompt"]?.string } == ["of nobody"])
            try nobody.send(#"{"id":4,"op":"requests"}"#)
            let rows = try nobody.finish(4).last["requests"]?.array ?? []
            #expect(rows.map { $0["id"] } == [own["request"]])
            try root.send(#"{"id":5,"op":"logs"}"#)
            #expect(try root.finish(5).last["logs"]?.array?.count == 2, "an administrator sees everything")
        }
    }
}
