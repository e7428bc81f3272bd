import Foundation
import GRDB
import JSON
import Synchronization
import Testing

extension EndToEnd {
    /// What clients were told and what is on record are the same, whatever died in between.
    @Suite struct RowParity {
        private static let requests = 20_000
        private static let connections = 64

        private static let configuration = """
            testing: true
            default_model: echo
            providers:
              echo: {type: echo, slots: 64}
              fault: {type: echo-fault, slots: 16}
            """

        /// What the clients were told, by the names of the requests, and how far they are.
        private struct Told {
            var ends: [String: (code: String?, text: String)] = [:]
            var refusals = 0
            var violations: [String] = []
            var ended: Int { self.ends.count + self.refusals }
        }

        @Test(arguments: [UInt64(20_261)]) func everyRequestHasItsRowAndItsAnswerWhateverDies(seed: UInt64) throws {
            let daemon = try Daemon(Self.configuration)
            let told = Mutex(Told())
            let clients = (0..<Self.connections).map { index in
                let thread = Thread { [socket = daemon.socket] in Self.ask(index, socket, told) }
                thread.start()
                return thread
            }
            let kills = try Self.killAtRandom(daemon, seed: seed, told)
            try wait(seconds: 300, for: "all clients to be answered") { clients.allSatisfy(\.isFinished) }
            try daemon.waitUntilIdle()

            let end = told.withLock { $0 }
            #expect(end.violations == [])
            #expect(end.ended == Self.requests)
            #expect(kills.loggers >= 10 && kills.workers >= 4, "\(kills)")
            #expect(end.ends.values.contains { $0.code == "worker_crashed" }, "a kill met no request")
            try Self.compare(end, with: daemon)
        }

        /// One client: distinct prompts, one after the other, now and then to a model that says more, and in pieces.
        private static func ask(_ index: Int, _ socket: String, _ told: borrowing Mutex<Told>) {
            do {
                let wire = try Wire(socket)
                let last = Self.requests / Self.connections + (index < Self.requests % Self.connections ? 1 : 0)
                for id in 1...last {
                    let text = "request \(id) of client \(index) \u{1F6A2}"
                    if id % 5 == 0 {
                        try wire.prompt(
                            id, text, model: "echo-fault", options: #"{"chunks":4,"chunk_bytes":6000}"#)
                    } else {
                        try wire.prompt(id, #"{"raw":"\#(text)"}"#, stream: id % 3 != 0)
                    }
                    let (streamed, frame) = try wire.finish(id)
                    told.withLock { told in
                        guard let name = frame["request"]?.string else {
                            told.refusals += 1
                            return
                        }
                        let answer = frame["text"]?.string ?? streamed
                        if told.ends.updateValue((frame.errorCode, answer), forKey: name) != nil {
                            told.violations.append("request \(name) ended twice")
                        }
                    }
                }
            } catch {
                told.withLock { $0.violations.append("client \(index): \(error)") }
            }
        }

        /// Kills the logger or a worker each time that some hundred more requests have ended.
        private static func killAtRandom(
            _ daemon: Daemon, seed: UInt64, _ told: borrowing Mutex<Told>
        ) throws -> (loggers: Int, workers: Int) {
            var random = Generator(state: seed)
            var kills = (loggers: 0, workers: 0)
            var next = 0
            while true {
                next += Int.random(in: 300...1_300, using: &random)
                guard next < Self.requests * 9 / 10 else { return kills }
                try wait(seconds: 300, for: "\(next) requests to have ended") {
                    told.withLock { $0.ended >= next || !$0.violations.isEmpty }
                }
                // Each provider may lose four of its workers a minute before it is parked.
                if kills.workers < 8, Bool.random(using: &random) {
                    let provider = kills.workers % 2 == 0 ? "echo" : "fault"
                    guard let worker = try? daemon.worker(provider) else { continue }
                    // While it stands still requests gather in it, so that its death meets some.
                    kill(worker, SIGSTOP)
                    try wait(for: "a request in provider '\(provider)'") {
                        try daemon.provider(provider)["busy"]?.integer ?? 0 > 0
                    }
                    kill(worker, SIGKILL)
                    kills.workers += 1
                } else {
                    guard let logger = try? daemon.loggerProcess else { continue }
                    kill(logger, SIGKILL)
                    kills.loggers += 1
                }
            }
        }

        private static func compare(_ told: Told, with daemon: Daemon) throws {
            let rows = try daemon.rows("SELECT id, state, turn FROM requests")
            #expect(rows.count == told.ends.count)
            #expect(Set(rows.map { $0["id"] as String }) == Set(told.ends.keys))
            var wrong: [String] = []
            for row in rows {
                let id: String = row["id"]
                guard let end = told.ends[id] else { continue }
                let expected =
                    switch end.code {
                    case nil: "done"
                    case "worker_crashed", "worker_hung", "worker_misbehaved": "crashed"
                    default: "error"
                    }
                let hasTurn = (row["turn"] as String?) == id
                if row["state"] != expected || hasTurn != (end.code == nil || !end.text.isEmpty) { wrong.append(id) }
            }
            #expect(wrong == [])

            let answers = try daemon.rows(
                """
                SELECT turns.id, group_concat(parts.text, '') AS text FROM turns
                JOIN parts ON parts.message_hash = turns.tip_message_hash WHERE parts.type = 'text' GROUP BY turns.id
                """)
            let recorded = Dictionary(uniqueKeysWithValues: answers.map { ($0["id"] as String, $0["text"] as String) })
            let delivered = told.ends.filter { !$0.value.text.isEmpty }.mapValues(\.text)
            #expect(recorded.count == delivered.count)
            #expect(delivered.filter { recorded[$0.key] != $0.value }.isEmpty, "an answer on record differs")

            #expect(try daemon.rows("PRAGMA integrity_check")[0]["integrity_check"] as String? == "ok")
            #expect(try daemon.rows("PRAGMA foreign_key_check").isEmpty, "a hash leads nowhere")
            #expect(try daemon.rows("SELECT * FROM bulkhead_output").isEmpty)
        }
    }
}

/// SplitMix64, so that a seed names a run.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
