import Messages
import Testing

@testable import BulkheadClient

struct MultiplexerTests {
    @Test
    func readingStopsAtTheBoundAndResumesWhenHalfIsGone() throws {
        var multiplexer = Multiplexer<Int>(bound: 4000)
        let id = multiplexer.open(.ping)
        let payload = Answers.text(.number(id), "x")
        let cost = AnswerFrame(event: .text("x"), payload: payload).cost
        var waiting = 0
        while !multiplexer.isPaused {
            #expect(try multiplexer.receive(payload) == nil)
            waiting += 1
        }
        #expect(waiting * cost >= 4000 && (waiting - 1) * cost < 4000)
        while multiplexer.isPaused {
            #expect(multiplexer.take(id, waiter: 0) != nil)
            waiting -= 1
        }
        #expect(waiting * cost <= 2000 && (waiting + 1) * cost > 2000)
    }

    @Test
    func everyRequestIsForgottenInTheEnd() throws {
        var multiplexer = Multiplexer<Int>(bound: 4000)
        let ids = (0..<4).map { _ in multiplexer.open(.ping) }
        // Ended and released, released and ended, cancelled, failed.
        _ = try multiplexer.receive(Answers.done(.number(ids[0])))
        multiplexer.release(ids[0])
        multiplexer.release(ids[1])
        _ = try multiplexer.receive(Answers.done(.number(ids[1])))
        #expect(multiplexer.take(ids[2], waiter: 7) == nil)
        let resumption = multiplexer.abandon(ids[2])
        #expect(resumption?.waiter == 7 && resumption?.delivery == .failure(.cancelled))
        _ = multiplexer.end(.daemonGone)
        #expect(multiplexer.take(ids[3], waiter: 8) == .failure(.daemonGone))
        multiplexer.release(ids[2])
        multiplexer.release(ids[3])
        #expect(multiplexer.count == 0)
        #expect(!multiplexer.hasOutgoing)
    }

    @Test
    func aSecondLastFrameIsAViolation() throws {
        var multiplexer = Multiplexer<Int>(bound: 4000)
        let id = multiplexer.open(.ping)
        _ = try multiplexer.receive(Answers.done(.number(id)))
        #expect(throws: ClientError.self) { try multiplexer.receive(Answers.done(.number(id))) }
    }

    @Test
    func theSocketIsFoundWhereItsDaemonPutsIt() {
        func path(_ variables: [String: String], isRoot: Bool = false, files: Set<String> = []) -> String {
            SocketPath.resolve(environment: { variables[$0] }, isRoot: isRoot, exists: files.contains)
        }
        let runtime = ["XDG_RUNTIME_DIR": "/run/user/7"]
        let (own, system) = ("/run/user/7/bulkhead.sock", "/run/bulkhead.sock")
        #expect(path(["BULKHEAD_SOCKET": "/a"], isRoot: true) == "/a")
        #expect(path(["BULKHEAD_SOCKET": ""], isRoot: true) == system)
        #expect(path(runtime, isRoot: true, files: [own]) == system)
        #expect(path(runtime, files: [own, system]) == own)
        #expect(path(runtime, files: [system]) == system)
        #expect(path(runtime) == own)
        #expect(path([:]) == system)
    }
}
