import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// A provider that breaks off, lies, floods or falls silent costs one request one clear error, in each of the APIs, and leaves
    /// nothing behind.
    @Suite struct HostileUpstream {
        private let upstream: TestUpstream

        init() throws { self.upstream = try TestUpstream() }

        @Test(
            arguments: UpstreamFault.inStreams + UpstreamFault.inHeads + UpstreamFault.inBodies
                + UpstreamFault.compressed)
        func aFaultIsOneError(_ fault: UpstreamFault) throws {
            defer { self.upstream.stop() }
            let timeouts = fault.isSilent ? "{first_output: 1s, idle: 400ms}" : nil
            let house = try HostileHouse(self.upstream, timeouts: timeouts)
            for isStreamed in [true, false] { try house.expect(fault, isStreamed: isStreamed) }
            try house.expectNothingLeft()
        }

        @Test(arguments: UpstreamOddity.all)
        func aWholeAnswerIsOneHoweverItComes(_ oddity: UpstreamOddity) throws {
            defer { self.upstream.stop() }
            let house = try HostileHouse(self.upstream)
            for isStreamed in [true, false] {
                for (api, outcome) in zip(SpokenAPI.all, try house.ask(isStreamed: isStreamed, oddity.respond)) {
                    let text = isStreamed ? outcome.text : outcome.last["text"]?.string
                    #expect(text == oddity.text, "\(api.name), \(isStreamed): \(outcome.last.text().prefix(300))")
                }
            }
            try house.expectNothingLeft()
        }

        /// Its stream has no mark of its end but the end of the body.
        @Test func anAnswerOfGeminiThatIsNotEndedMeetsTheIdleTimeout() throws {
            defer { self.upstream.stop() }
            let house = try HostileHouse(self.upstream, timeouts: "{idle: 400ms}")
            let outcomes = try house.ask(isStreamed: true) { api in
                .events(api.beginning + [api.text] + api.end, then: [.silence])
            }
            #expect(outcomes.map(\.text) == SpokenAPI.all.map { _ in "one " })
            #expect(outcomes.map(\.last.errorCode) == [nil, nil, nil, "timeout"])
            try house.expectNothingLeft()
        }

        @Test func aRedirectIsFollowedNowhereAndTakesNoKeyAlong() throws {
            defer { self.upstream.stop() }
            let elsewhere = try TestUpstream()
            defer { elsewhere.stop() }
            let house = try HostileHouse(self.upstream)
            var faults = [301, 302, 303, 307, 308].map { UpstreamFault.redirect($0, to: elsewhere.url("/v1/messages")) }
            let places = [
                "http://localhost:\(elsewhere.port)/v1/messages", "//127.0.0.1:\(elsewhere.port)/v1/messages",
                self.upstream.url("/elsewhere"), "/v1/messages", "/v1/chat/completions", "", "file:///etc/passwd",
                "gopher://127.0.0.1:\(elsewhere.port)/", "https://127.0.0.1:\(elsewhere.port)/",
                "http://\(HostileHouse.key)@127.0.0.1:\(elsewhere.port)/",
            ]
            faults += places.map { UpstreamFault.redirect(307, to: $0) }
            for (number, fault) in faults.enumerated() { try house.expect(fault, isStreamed: number % 2 == 0) }
            try house.expectNothingLeft()
            #expect(elsewhere.acceptedConnections == 0)
            #expect(self.upstream.requests.allSatisfy { $0.target != "/elsewhere" })
            #expect(!house.daemon.log.contains(HostileHouse.key))
        }
    }
}
