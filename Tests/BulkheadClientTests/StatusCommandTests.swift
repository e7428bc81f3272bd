import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct StatusCommandTests {
    private static let status = """
        {"version":"0.1.0","pid":42,"uptime_ms":3723000,"draining":false,"durability":"commit","connections":3,\
        "requests":{"open":2,"queued":1,"waiting":1,"chains":0,"groups":2,"finishing":1,"admitted":130,"done":120,"error":5,"cancelled":2,"crashed":1,"retries":9,"fallbacks":3},\
        "memory":{"budget_bytes":50331648,"used_bytes":1572864},\
        "logger":{"state":"ready","pid":43,"restarts":0,"backlog_records":2,"backlog_bytes":512,"acknowledged":258},\
        "reader":{"state":"ready","pid":45,"restarts":1,"questions":4},\
        "configuration":{"generation":3,"former":1,"refused":2,"reloading":true},\
        "providers":[{"name":"echo","type":"echo","state":"ready","pid":44,"processes":1,"slots":16,"busy":1,"queued":0,\
        "starts":1,"deaths":0},{"name":"openai","type":"openai-compatible","state":"waiting","processes":0,"slots":8,"busy":0,\
        "queued":1,"starts":3,"deaths":3,"last_exit":"signal 11","retry_in_ms":1500},{"name":"local","type":"ollama","state":"ready",\
        "retired":true,"pid":46,"processes":1,"slots":2,"busy":1,"queued":0,"starts":1,"deaths":0}]}
        """

    @Test
    func theStatusShowsAtAGlance() async throws {
        let text = try await Self.run(["status"], ("status", Array(Self.status.utf8)))
        #expect(
            text == """
                bulkheadd      0.1.0, pid 42, up 1 h 2 m, durability commit
                requests       2 open (1 queued, 1 to be tried again, 1 whose clients have gone), 0 chains, 2 groups; 130 admitted: 120 done, 5 failed, 2 cancelled, \
                1 crashed; 9 retries, 3 fallbacks
                connections    3
                memory         1.5 MiB of 48 MiB for frames
                logger         ready, pid 43, restarts 0, 258 records on disk, 2 waiting (512 B)
                reader         ready, pid 45, restarts 1, 4 questions waiting
                configuration  number 3, 1 earlier in use, 2 refused, the next is being read

                PROVIDER  TYPE               STATE    PID  SLOTS  QUEUED  STARTS  DEATHS  NOTES
                echo      echo               ready    44   1/16   0       1       0
                openai    openai-compatible  waiting  -    0/8    1       3       3       retry in 1.5 s; last exit: signal 11
                local     ollama             ready    46   1/2    0       1       0       retired: finishes what it has

                """)
    }

    @Test
    func theStatusIsJSONForScripts() async throws {
        #expect(try await Self.run(["status", "--json"], ("status", Array(Self.status.utf8))) == Self.status + "\n")
    }

    @Test
    func modelsAreListed() async throws {
        let models = """
            [{"id":"echo","aliases":[],"provider":"echo","needs_key":false,"default":true},\
            {"id":"gpt-4o-mini","aliases":["4o-mini","mini"],"provider":"openai","needs_key":true,"default":false}]
            """
        #expect(
            try await Self.run(["models"], ("models", Array(models.utf8))) == """
                MODEL        ALIASES        PROVIDER  NOTES
                echo                        echo      default
                gpt-4o-mini  4o-mini, mini  openai    needs a key

                """)
        #expect(try await Self.run(["models", "--json"], ("models", Array(models.utf8))) == models + "\n")
    }

    @Test
    func aPingIsAnswered() async throws {
        let text = try await Self.run(["ping"], nil)
        #expect(text.hasPrefix("pong from /") && text.hasSuffix(" ms\n"))
    }

    /// Runs the program with a daemon that answers one request with `result`, and returns what it prints.
    private static func run(_ arguments: [String], _ result: (name: StaticString, value: [UInt8])?) async throws
        -> String
    {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        await peer.write(ClientAnswer.done(id: request.id, result))
        let output = await run.output
        #expect(await run.status == 0)
        return output
    }
}
