import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// What the kernel and systemd say of a client, and the bounds that hold for a caller.
    @Suite(.enabled(if: LocalUser.isPossible, LocalUser.reason)) struct Peers {
        private func prompt(_ wire: Wire, _ id: Int = 1) throws {
            try wire.prompt(id)
            #expect(try wire.finish(id).last["event"]?.string == "done")
        }

        @Test func aThousandGroupsAreKnownAndMoreAreSaidOnceToCountForNothing() throws {
            let daemon = try Daemon(
                """
                socket: {mode: "0666"}
                callers: {low: {group: 71023}, high: {group: 136535}}
                """)
            // The kernel has them in their order. 71,023 is the last that is known, and NGROUPS_MAX is 65,536.
            let many = LocalUser(uid: 61_030, gid: 61_030, groups: (0..<65_536).map { 70_000 + $0 })
            for id in 1...2 { try self.prompt(try many.connect(daemon), id) }
            let late = LocalUser(uid: 61_031, gid: 61_031, groups: (0..<65_536).map { 71_000 + $0 })
            try self.prompt(try late.connect(daemon))
            let rows = try daemon.rows()
            let known = try rows.map { try #require(try JSONValue(parsing: $0["user_groups"] as String).array) }
            #expect(known.map(\.count) == [1_024, 1_024, 1_024])
            #expect(known.map { $0.last?.integer } == [71_023, 71_023, 72_023])
            #expect(rows.map { $0["caller"] as String? } == ["low", "low", "low"])
            let beyond = LocalUser(uid: 61_032, gid: 61_032, groups: (0..<65_536).map { 71_024 + $0 })
            let wire = try beyond.connect(daemon)
            try wire.prompt(1)
            #expect(try wire.finish(1).last.errorCode == "not_allowed", "what is beyond makes nobody a caller")
            #expect(daemon.log.components(separatedBy: "in more groups than are read").count == 2, "\(daemon.log)")
            #expect(daemon.log.contains("clients are known by"))
        }

        /// systemd itself need not run: it is the name of a control group that counts.
        @Test(.enabled(if: ControlGroup.isPossible, "needs a hierarchy of control groups that can be written"))
        func theUnitOfAClientIsOnRecord() throws {
            let group = try #require(ControlGroup.make("bulkhead-test-\(getpid()).service"))
            defer { group.remove() }
            let daemon = try Daemon()
            guard daemon.log.contains("units=where systemd has them") else { return }
            let client = try ProgramRun(
                URL(filePath: "/bin/sh"),
                [
                    "-c", #"echo $$ > "$0/cgroup.procs" && exec "$@""#, group.path, Checkout.program("bulkhead").path,
                    "prompt", "--socket", daemon.socket, "hi",
                ])
            #expect(try client.status() == 0, "\(client.errors)")
            try self.prompt(try Wire(daemon.socket))
            #expect(try daemon.rows().map { $0["unit"] as String? }.first == group.name)
            #expect(try daemon.rows().map { $0["unit"] as String? }.last != group.name)
            let wire = try Wire(daemon.socket)
            try wire.send(#"{"id":1,"op":"requests"}"#)
            #expect(try wire.finish(1).last["requests"]?.array?.last?["unit"]?.string == group.name)
        }

        // MARK: Bounds

        private static let limits = """
            testing: true
            socket: {mode: "0666"}
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault, slots: 4}
            callers:
              web: {user: [61001, 61002], max_connections: 2, max_requests: 3}
              others: {default: true}
            """

        @Test func allUsersOfACallerShareItsConnections() throws {
            let daemon = try Daemon(Self.limits)
            let first = try LocalUser(uid: 61_001, gid: 61_001).connect(daemon)
            let second = try LocalUser(uid: 61_002, gid: 61_002).connect(daemon)
            try self.prompt(first)
            try self.prompt(second)
            let third = try LocalUser(uid: 61_001, gid: 61_001).connect(daemon)
            let refusal = try third.next()
            #expect(refusal["id"] == .null)
            #expect(refusal.errorCode == "too_many_connections")
            #expect(refusal.errorMessage?.contains("the caller 'web' has 2 connections") == true)
            #expect(try third.receive() == nil, "and it is closed")
            try self.prompt(try LocalUser(uid: 61_003, gid: 61_003).connect(daemon))
            try self.prompt(first, 2)
            // Those who leave make room.
            shutdown(second.descriptor, Int32(SHUT_RDWR))
            try wait(for: "room for another connection") {
                let wire = try LocalUser(uid: 61_002, gid: 61_002).connect(daemon)
                try wire.prompt(1)
                return try wire.receive()?["event"]?.string == "start"
            }
        }

        @Test func allUsersOfACallerShareItsOpenRequests() throws {
            let daemon = try Daemon(Self.limits)
            let first = try LocalUser(uid: 61_001, gid: 61_001).connect(daemon)
            let second = try LocalUser(uid: 61_002, gid: 61_002).connect(daemon)
            let slow = #"{"delay_ms":60000}"#
            for id in 1...2 {
                try first.prompt(id, model: "echo-fault", options: slow)
                try first.await("start", id)
            }
            try second.prompt(1, model: "echo-fault", options: slow)
            try second.await("start", 1)
            try second.prompt(2)
            let refusal = try second.finish(2).last
            #expect(refusal.errorCode == "too_many_requests")
            #expect(refusal.errorMessage?.contains("the caller 'web' has 3 requests open") == true)
            try second.send(#"{"id":3,"op":"status"}"#)
            #expect(try second.finish(3).last["status"] != nil, "the connection lives")
            try self.prompt(try LocalUser(uid: 61_003, gid: 61_003).connect(daemon))
            try first.send(#"{"id":9,"op":"cancel","target":1}"#)
            #expect(try first.finish(1).last.errorCode == "cancelled")
            try wait(for: "room for another request") {
                try second.prompt(4)
                return try second.finish(4).last["event"]?.string == "done"
            }
        }
    }
}

/// A control group of a test's own, at the top of systemd's hierarchy.
private struct ControlGroup {
    let name: String
    let path: String

    /// `nil` where none can be made, as in most containers.
    static func make(_ name: String) -> ControlGroup? {
        for place in ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"] where access("\(place)/cgroup.procs", W_OK) == 0 {
            if mkdir("\(place)/\(name)", 0o755) == 0 { return ControlGroup(name: name, path: "\(place)/\(name)") }
        }
        return nil
    }

    func remove() { rmdir(self.path) }

    static let isPossible: Bool = {
        guard let group = ControlGroup.make("bulkhead-probe-\(getpid()).service") else { return false }
        group.remove()
        return true
    }()
}
