import Foundation
import JSON
import Testing

extension EndToEnd {
    /// A provider over TLS that cannot be trusted gets no key. TLS lies below what an API decides, so one API stands for all.
    @Suite struct TLS {
        @Test(
            .enabled(if: TLSUpstream.isThere, "needs openssl and Python with its ssl module"),
            .enabled(if: TLSUpstream.canBeTrusted, "needs root, who may give a process other trusted certificates"))
        func anEncryptedConnectionIsTrustedOrNotUsed() throws {
            let upstream = try TLSUpstream()
            let modes = TLSUpstream.Mode.allCases
            let providers = modes.map { mode in
                "  \(mode.rawValue): {type: openai-compatible, base_url: \"\(upstream.url(mode))\", models: [\(mode.rawValue)], key: KEY, slots: 1}"
            }
            let daemon = try Daemon(
                (["providers:"] + providers).joined(separator: "\n"), environment: ["KEY": HostileHouse.key],
                launcher: upstream.launcher)
            let wire = try Wire(daemon.socket)
            // Twice, so that the slot must have become free.
            for id in 1...2 {
                for mode in modes {
                    try wire.prompt(id, model: mode.rawValue)
                    let answer = try wire.finish(id)
                    self.expect(mode, answer.text, answer.last)
                }
            }
            for mode in modes {
                let isTrusted = [.good, .garbage, .cut].contains(mode)
                #expect(upstream.requests(mode) == (isTrusted ? 2 : 0), "\(mode)")
                #expect(try daemon.provider(mode.rawValue)["starts"]?.integer == 1, "\(mode)")
            }
            #expect(try daemon.rowStates() == ["done": 2, "error": 2 * (modes.count - 1)])
        }

        /// Each has what it needs to check certificates.
        @Test(
            .enabled(if: TLSUpstream.isThere, "needs openssl and Python with its ssl module"),
            .enabled(if: TLSUpstream.canBeTrusted, "needs root, who may give a process other trusted certificates"))
        func aHundredEncryptedConnectionsStayWithinTheBound() throws {
            let upstream = try TLSUpstream()
            let daemon = try Daemon(
                "providers: {p: {type: openai-compatible, base_url: \"\(upstream.url(.good))\", models: [m], slots: 100}}",
                launcher: upstream.launcher)
            let wire = try Wire(daemon.socket)
            for id in 1...100 { try wire.prompt(id) }
            let last = try wire.finishAll(1...100)
            #expect(last.values.allSatisfy { $0["event"]?.string == "done" })
            // 32 MiB, and 1 MiB for each slot.
            #expect(try ProcFS.kilobytes("VmHWM", of: try daemon.worker("p")) < 132 << 10)
        }

        private func expect(_ mode: TLSUpstream.Mode, _ text: String, _ last: JSONValue) {
            let what: Comment = "\(mode): \(last.text())"
            switch mode {
            case .good: #expect(last["event"]?.string == "done" && text == "one ", what)
            case .garbage, .cut:
                #expect(text == "one ", what)
                #expect(last.errorCode == "provider_invalid_response", what)
                // curl takes the missing end for one; an answer tells by itself whether it is whole.
                let reason = mode == .cut ? "its stream ended before the answer did" : "broke in its middle"
                #expect(last.errorMessage?.contains(reason) == true, what)
            case .selfSigned: self.expectUntrusted(last, "self-signed certificate", what)
            case .other: self.expectUntrusted(last, "no alternative certificate subject name matches", what)
            case .expired: self.expectUntrusted(last, "certificate has expired", what)
            case .old, .plain, .closed: self.expectUntrusted(last, "", what)
            }
        }

        private func expectUntrusted(_ last: JSONValue, _ reason: String, _ what: Comment) {
            #expect(last.errorCode == "provider_unreachable", what)
            #expect(last.errorMessage?.contains("no connection to the provider can be trusted") == true, what)
            #expect(last.errorMessage?.contains("check the provider's base_url") == true, what)
            #expect(reason.isEmpty || last.errorMessage?.contains(reason) == true, what)
        }
    }
}
