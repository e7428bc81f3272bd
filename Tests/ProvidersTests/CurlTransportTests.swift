import Curl
import Glibc
import TestUpstream
import Testing
import Transport

@Suite struct CurlTransportTests {
    /// A transport whose descriptor interrupts it as soon as there is something to read.
    private final class Line {
        private let descriptors: [CInt]

        init() {
            var pair: [CInt] = [0, 0]
            precondition(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
            self.descriptors = pair
        }

        deinit { for descriptor in self.descriptors { close(descriptor) } }

        func transport() -> CurlTransport {
            let descriptor = self.descriptors[0]
            return CurlTransport(waitingOn: descriptor) {
                var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                return Glibc.poll(&poll, 1, 0) > 0
            }
        }

        /// May be called by another thread.
        var interrupt: @Sendable () -> Void {
            let descriptor = self.descriptors[1]
            return { precondition(write(descriptor, "x", 1) == 1) }
        }
    }

    private static func body(_ transport: CurlTransport) throws -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try transport.nextPiece() { body += piece }
        return body
    }

    private static func kind(_ body: () throws -> Void) -> TransportError.Kind? {
        do { try body() } catch { return (error as? TransportError)?.kind }
        return nil
    }

    @Test func aRequestArrivesAsItIsAndOneConnectionServesTheNextToo() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script(
            "/a", UpstreamResponse(headers: [("X-Request-Id", " r1 "), ("Content-Type", "a/b")], steps: [.echo]))
        let line = Line()
        let transport = line.transport()
        for number in 0..<3 {
            let sent = [UInt8](repeating: UInt8(number), count: 1_500_000)
            let head = try transport.start(
                HTTPRequest(
                    url: upstream.url("/a?q=1"), headers: [HTTPHeader("authorization", "Bearer k\(number)")], body: sent
                ))
            #expect(head.status == 200)
            #expect(head.header("x-request-id") == "r1")
            #expect(head.header("content-type") == "a/b")
            #expect(try Self.body(transport) == sent)
        }
        #expect(upstream.acceptedConnections == 1)
        let received = upstream.requests
        #expect(received.map { $0.header("authorization") } == ["Bearer k0", "Bearer k1", "Bearer k2"])
        #expect(received.allSatisfy { $0.method == "POST" && $0.target == "/a?q=1" })
        #expect(received.allSatisfy { $0.header("expect") == nil && $0.header("accept-encoding") == nil })
    }

    @Test func piecesArriveWhileTheUpstreamStillSends() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        let gate = UpstreamGate()
        upstream.script("/a", UpstreamResponse(steps: [.send([1]), .wait(gate), .send([2])]))
        let line = Line()
        let transport = line.transport()
        #expect(try transport.start(HTTPRequest(url: upstream.url("/a"))).status == 200)
        #expect(try transport.nextPiece() == [1])
        #expect(gate.awaitWaiting())
        gate.open()
        #expect(try transport.nextPiece() == [2])
        #expect(try transport.nextPiece() == nil)
    }

    @Test func aLongBodyThatNobodyTakesIsHeldBackAndComesWhole() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        upstream.script("/a", UpstreamResponse(framing: .length, steps: .init(repeating: .send(piece), count: 32)))
        let line = Line()
        let transport = line.transport()
        _ = try transport.start(HTTPRequest(url: upstream.url("/a")))
        var total = 0
        var longest = 0
        while let piece = try transport.nextPiece() {
            total += piece.count
            longest = max(longest, piece.count)
        }
        #expect(total == 32 << 20)
        #expect(longest <= (256 << 10) + (16 << 10))
    }

    @Test func aSilentUpstreamIsLeftAtOnceAfterAnInterruption() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        let gate = UpstreamGate()
        upstream.script("/head", UpstreamResponse(steps: [.sendRaw([]), .wait(gate)]))
        upstream.script("/body", UpstreamResponse(steps: [.send([1]), .wait(gate)]))
        for path in ["/head", "/body"] {
            let line = Line()
            let transport = line.transport()
            let interrupt = line.interrupt
            Thread.detached {
                _ = gate.awaitWaiting()
                interrupt()
            }
            #expect(
                Self.kind {
                    _ = try transport.start(HTTPRequest(url: upstream.url(path)))
                    _ = try Self.body(transport)
                } == .interrupted)
            #expect(upstream.awaitOpenConnections(atMost: 0), "the upstream sees the connection close")
        }
    }

    @Test(arguments: [
        ("7", 7000), ("Wed, 21 Oct 2015 07:28:00 GMT", nil), ("0", nil), ("soon", nil), ("99999999999", 2_147_483_000),
    ])
    func retryAfterIsReadInItsForms(text: String, milliseconds: Int?) throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script("/a", .json("{}", status: 429, headers: [("Retry-After", text)]))
        let line = Line()
        let transport = line.transport()
        #expect(try transport.start(HTTPRequest(url: upstream.url("/a"))).retryAfterMilliseconds == milliseconds)
        transport.finish()
    }

    @Test func retryAfterMayBeADateToCome() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        var time = time(nil) + 3600
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        let date = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        upstream.script("/a", .json("{}", status: 503, headers: [("Retry-After", date)]))
        let line = Line()
        let transport = line.transport()
        let milliseconds = try #require(
            try transport.start(HTTPRequest(url: upstream.url("/a"))).retryAfterMilliseconds)
        #expect((3_000_000...3_600_000).contains(milliseconds))
        transport.finish()
    }

    @Test func redirectsAreNotFollowed() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script("/a", .json("{}", status: 302, headers: [("Location", upstream.url("/b"))]))
        let line = Line()
        let transport = line.transport()
        #expect(try transport.start(HTTPRequest(url: upstream.url("/a"))).status == 302)
        transport.finish()
        #expect(upstream.requests.map(\.target) == ["/a"])
    }

    @Test func everyBrokenExchangeIsToldApart() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script("/reset", UpstreamResponse(steps: [.send([1]), .reset]))
        upstream.script("/closed", UpstreamResponse(steps: [.send([1]), .close]))
        upstream.script(
            "/short",
            UpstreamResponse(
                headers: [("content-length", "10")], framing: .untilClose, steps: [.send([1])]))
        upstream.script("/nothing", UpstreamResponse(steps: [.sendRaw([]), .close]))
        upstream.script("/nonsense", UpstreamResponse(steps: [.sendRaw(Array("SMTP ready\r\n\r\n".utf8)), .close]))
        upstream.script(
            "/header",
            UpstreamResponse(headers: (0..<20).map { ("x\($0)", String(repeating: "h", count: 4000)) }, steps: []))
        let line = Line()
        let transport = line.transport()
        func kind(_ url: String, headers: [HTTPHeader] = []) -> TransportError.Kind? {
            Self.kind {
                _ = try transport.start(HTTPRequest(url: url, headers: headers, connectTimeoutMilliseconds: 5000))
                _ = try Self.body(transport)
            }
        }
        #expect(kind(upstream.url("/reset")) == .broken)
        #expect(kind(upstream.url("/closed")) == .broken)
        #expect(kind(upstream.url("/short")) == .broken)
        #expect(kind(upstream.url("/nothing")) == .broken)
        #expect(kind(upstream.url("/nonsense")) == .malformed)
        #expect(kind(upstream.url("/header")) == .malformed)
        #expect(kind("http://127.0.0.1:1/") == .unconnected)
        #expect(kind("http://no-such-host.invalid/") == .unresolved)
        #expect(kind("https://127.0.0.1:\(upstream.port)/") == .insecure)
        #expect(kind("ftp://127.0.0.1/") == .unusable)
        #expect(kind("http://[/") == .unusable)
        #expect(kind(upstream.url("/x"), headers: [HTTPHeader("a", "b\r\nc: d")]) == .unusable)
        #expect(kind(upstream.url("/x")) == nil, "and the transport works on")
    }

    @Test func anExchangeMayBeLeftInItsMiddle() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script("/short", UpstreamResponse(steps: [.send([1]), .send([2])]))
        upstream.script(
            "/endless",
            UpstreamResponse(steps: .init(repeating: .send([UInt8](repeating: 1, count: 1 << 20)), count: 64)))
        let line = Line()
        let transport = line.transport()
        for path in ["/short", "/short", "/endless", "/short"] {
            _ = try transport.start(HTTPRequest(url: upstream.url(path)))
            _ = try transport.nextPiece()
            transport.finish()
            transport.finish()
        }
        #expect(upstream.requests.map(\.connection) == [0, 0, 0, 1], "a short rest is read to keep the connection")
    }
}
