import Foundation
import LogStore
import Messages
import Testing

/// llm writes into the file while we do.
@Suite(.enabled(if: LLM.executable != nil, LLM.isMissing))
struct LLMWritingTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    /// A program that answers prompts with llm until it is told to stop, and prints how many it logged and how many it
    /// could not, since the file was changing.
    private static let prompting = """
        import sys, os, sqlite3, llm, sqlite_utils
        from llm.migrations import migrate
        database, stop = sys.argv[1:]
        db = sqlite_utils.Database(database)
        migrate(db)
        logged = refused = 0
        while logged < 20 or not os.path.exists(stop):
            response = llm.get_model("echo").prompt(f"from llm {logged}")
            response.text()
            try:
                response.log_to_db(db)
                logged += 1
            except sqlite3.OperationalError as error:
                assert "locked" in str(error), error
                refused += 1
        print(logged)
        print(refused, file=sys.stderr)
        """

    @Test func nothingOfOursIsLostAndNothingThatLLMLogged() throws {
        let store = try LogStore(path: self.directory.database, durability: .commit)
        _ = try store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        let stop = self.directory.path + "/stop"
        let llm = try LLM.start(Self.prompting, [self.directory.database, stop], in: self.directory)
        let file = try LogFile(self.directory.database)
        let requests = Samples.ulids(2_000)
        var count = 0
        // Half of them when it is up and writes.
        while count < requests.count {
            try store.commit(Samples.prompt(requests[count], "ours \(count)"))
            try store.commit(Samples.end(requests[count], output: [.text("answer \(count)")]))
            count += 1
            if count == requests.count / 2 { try self.awaitTurns(beyond: count, in: file) }
        }
        #expect(FileManager.default.createFile(atPath: stop, contents: nil))
        let run = try llm.wait()
        store.close()

        #expect(run.status == 0, "\(run.errors)")
        let logged = try #require(Int(run.output.trimmingCharacters(in: .newlines)))
        #expect(logged >= 20)
        #expect(try file.states() == ["done": count])
        #expect(
            try file.integer("SELECT count(*) FROM turns JOIN requests ON requests.turn = turns.id") == count)
        #expect(try file.integer("SELECT count(*) FROM turns") == count + logged)
        #expect(try file.integer("SELECT count(*) FROM turn_search") == count + logged)
        #expect(try file.isIntact)
    }

    private func awaitTurns(beyond count: Int, in file: LogFile) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try file.integer("SELECT count(*) FROM turns")! <= count {
            try #require(ContinuousClock.now < deadline, "llm logs nothing")
        }
    }
}
