import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// What the users of this machine may do: each connects as itself, and the kernel says who it is.
    @Suite(.enabled(if: LocalUser.isPossible, LocalUser.reason)) struct Callers {
        static let web = LocalUser(uid: 61_001, gid: 61_001)
        static let staff = LocalUser(uid: 61_002, gid: 61_002, groups: [61_500, 61_777])
        static let operating = LocalUser(uid: 61_003, gid: 61_778)
        static let nobody = LocalUser(uid: 65_534, gid: 65_534)
        static let stranger = LocalUser(uid: 61_009, gid: 61_009, groups: [61_500])
        static let root = LocalUser(uid: 0, gid: 0)

        /// - Parameter more: Further callers.
        static func configuration(_ more: String = "") -> String {
            """
            testing: true
            socket: {mode: "0666"}
            default_model: echo
            providers:
              echo: {type: echo}
              fault: {type: echo-fault, slots: 4}
            purposes:
              extract: {model: echo}
              chat: {models: [echo]}
            callers:
              web: {user: 61001, purposes: [extract, chat], may_name_actor: true}
              staff: {group: [61777, 61776], models: [echo]}
              operators: {group: 61778, administrator: true}
              nightly: {user: nobody}
            \(more)
            """
        }

        private let daemon: Daemon

        init() throws { self.daemon = try Daemon(Self.configuration()) }

        private func answer(_ user: LocalUser, _ members: String, daemon: Daemon? = nil) throws -> JSONValue {
            let wire = try user.connect(daemon ?? self.daemon)
            try wire.send(#"{"id":1,\#(members)}"#)
            return try wire.finish(1).last
        }

        private func expectRefusal(
            _ user: LocalUser, _ members: String, _ message: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let answer = try self.answer(user, members)
            #expect(answer.errorCode == "not_allowed", "\(answer.text())", sourceLocation: sourceLocation)
            #expect(
                answer.errorMessage?.contains(message) == true, "\(answer.text())", sourceLocation: sourceLocation)
            #expect(try self.daemon.rows().isEmpty, "what is refused has no row", sourceLocation: sourceLocation)
        }

        // MARK: Who

        @Test func eachUserIsTheCallerThatTheConfigurationSays() throws {
            let asked = [
                (Self.web, #","purpose":"chat""#), (Self.staff, ""), (Self.operating, ""), (Self.nobody, ""),
                (Self.root, ""),
            ]
            for (user, members) in asked {
                #expect(try self.answer(user, #""op":"prompt","prompt":"hi"\#(members)"#)["event"]?.string == "done")
            }
            let rows = try self.daemon.rows()
            #expect(rows.map { $0["caller"] as String? } == ["web", "staff", "operators", "nightly", nil])
            #expect(rows.map { $0["uid"] as Int? } == [61_001, 61_002, 61_003, 65_534, 0])
            #expect(rows.map { $0["gid"] as Int? } == [61_001, 61_002, 61_778, 65_534, 0])
            #expect(rows.map { $0["user_groups"] as String? } == [nil, "[61500,61777]", nil, nil, nil])
            #expect(rows.map { $0["actor"] as String? } == [nil, nil, nil, nil, nil])
            #expect(rows.map { $0["purpose"] as String? } == ["chat", nil, nil, nil, nil])
        }

        @Test func anEntryOfAUserCountsBeforeThoseOfItsGroupsAndTheseInTheirOrder() throws {
            for (user, caller) in [
                (LocalUser(uid: 61_001, gid: 61_777, groups: [61_778]), "web"),
                (LocalUser(uid: 61_020, gid: 61_778, groups: [61_777]), "staff"),
                (LocalUser(uid: 61_021, gid: 61_776), "staff"),
            ] {
                let answer = try self.answer(user, #""op":"prompt","purpose":"chat","prompt":"hi""#)
                #expect(answer["event"]?.string == "done")
                #expect(try self.daemon.rows().last?["caller"] as String? == caller)
            }
        }

        @Test func aUserWhomNoEntryKnowsIsRefusedAndItsConnectionLives() throws {
            let wire = try Self.stranger.connect(self.daemon)
            for (id, members) in [
                #""op":"prompt","prompt":"hi""#, #""op":"embed","input":"hi","model":"echo-embed""#,
                #""op":"chain","prompt":"hi""#, #""op":"logs""#, #""op":"requests""#, #""op":"models""#,
                #""op":"status""#, #""op":"reload""#, #""op":"drain""#,
            ].enumerated() {
                try wire.send(#"{"id":\#(id),\#(members)}"#)
                let answer = try wire.finish(id).last
                #expect(answer.errorCode == "not_allowed", "\(members): \(answer.text())")
                #expect(answer.errorMessage?.contains("the user 61009 is no caller of this daemon") == true)
            }
            try wire.send(#"{"id":99,"op":"ping"}"#)
            #expect(try wire.next().text() == #"{"id":99,"event":"done"}"#)
            #expect(try self.daemon.rows().isEmpty)
        }

        @Test func whereThereIsADefaultItIsEverybodyElse() throws {
            let daemon = try Daemon(Self.configuration("  everyone: {default: true, purposes: [chat]}"))
            let chat = try self.answer(Self.stranger, #""op":"prompt","prompt":"hi","purpose":"chat""#, daemon: daemon)
            #expect(chat["event"]?.string == "done")
            let other = try self.answer(Self.stranger, #""op":"prompt","prompt":"hi""#, daemon: daemon)
            #expect(other.errorMessage?.contains("the caller 'everyone' may not ask without a purpose") == true)
            let rows = try daemon.rows()
            #expect(rows.map { $0["caller"] as String? } == ["everyone"])
            #expect(rows.map { $0["user_groups"] as String? } == ["[61500]"])
        }

        // MARK: What for

        @Test func purposesAndModelsThatACallerMayNotUseAreRefused() throws {
            try self.expectRefusal(
                Self.web, #""op":"prompt","prompt":"hi""#, "the caller 'web' may not ask without a purpose")
            try self.expectRefusal(
                Self.web, #""op":"prompt","prompt":"hi","purpose":"payroll""#,
                "the caller 'web' may not use the purpose 'payroll'; its purposes: chat, extract")
            try self.expectRefusal(
                Self.web, #""op":"embed","input":"hi","model":"echo-embed","purpose":"chat""#,
                "it is not in models of the purpose 'chat'")
            try self.expectRefusal(
                Self.staff, #""op":"embed","input":"hi","model":"echo-embed""#,
                "it is not in models of the caller 'staff'")
            try self.expectRefusal(
                Self.staff, #""op":"chain","prompt":"hi","model":"echo-fault""#,
                "it is not in models of the caller 'staff'")
        }

        // MARK: For whom

        @Test func aCallerThatMayNamesTheActorItAsksFor() throws {
            let members = #""op":"prompt","prompt":"hi","purpose":"extract","actor":"#
            #expect(try self.answer(Self.web, members + #""ada""#)["event"]?.string == "done")
            #expect(try self.answer(Self.web, members + #""uid:61001""#)["event"]?.string == "done")
            #expect(try self.daemon.rows().map { $0["actor"] as String? } == ["ada", nil], "its own name is nobody's")
            let other = try self.answer(Self.web, members + #""uid:61002""#)
            #expect(other.errorMessage?.contains("names that begin with 'uid:' belong to local users") == true)
            for filter in [#""actor":"ada""#, #""actor":"ada","caller":"web","purpose":"extract""#] {
                let found = try self.answer(Self.web, #""op":"requests",\#(filter)"#)["requests"]?.array
                #expect(found?.map { $0["actor"]?.string } == ["ada"])
            }
        }

        @Test(arguments: [Callers.staff, Callers.operating])
        func aCallerThatMayNotIsItsOwnActor(user: LocalUser) throws {
            try self.expectRefusal(user, #""op":"prompt","prompt":"hi","actor":"ada""#, "may not name an actor")
            try self.expectRefusal(user, #""op":"chain","prompt":"hi","actor":"uid:0""#, "may not name an actor")
            try self.expectRefusal(
                user, #""op":"embed","input":"hi","model":"echo","actor":"uid:61001""#, "may not name an actor")
            let own = try self.answer(user, #""op":"prompt","prompt":"hi","actor":"uid:\#(user.uid)""#)
            #expect(own["event"]?.string == "done")
        }

        // MARK: Administrators

        @Test func anAdministratorOfAGroupSeesAllAndOthersTheirOwn() throws {
            for (user, members) in [(Self.web, #","purpose":"chat""#), (Self.staff, ""), (Self.operating, "")] {
                _ = try self.answer(user, #""op":"prompt","prompt":"mine is \#(user.uid)"\#(members)"#)
            }
            for (user, expected) in [
                (Self.web, [61_001]), (Self.staff, [61_002]), (Self.operating, [61_003, 61_002, 61_001]),
                (Self.root, [61_003, 61_002, 61_001]), (Self.nobody, []),
            ] {
                for op in ["requests", "logs"] {
                    let rows = try self.answer(user, #""op":"\#(op)""#)[op]?.array
                    #expect(rows?.map { $0["uid"]?.integer } == expected, "\(op) of \(user.testDescription)")
                }
            }
        }

        @Test func administrationIsRefusedToAllOthers() throws {
            for user in [Self.web, Self.staff, Self.nobody] {
                for op in [#""reload""#, #""drain""#, #""models","refresh":true"#, #""secrets","action":"list""#] {
                    try self.expectRefusal(user, #""op":\#(op)"#, "administrator")
                }
            }
            #expect(try self.answer(Self.operating, #""op":"reload""#)["event"]?.string == "done")
            #expect(try self.answer(Self.operating, #""op":"models","refresh":true"#)["event"]?.string == "done")
            #expect(try self.answer(Self.operating, #""op":"drain""#)["event"]?.string == "done")
            try wait(for: "the daemon to stop: \(self.daemon.log)") { !self.daemon.process.isRunning }
        }
    }
}
