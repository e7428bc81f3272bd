import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// Nobody acts as somebody else, whatever it sends.
    @Suite(.enabled(if: LocalUser.isPossible, LocalUser.reason)) struct Impostors {
        private let daemon: Daemon

        init() throws { self.daemon = try Daemon(Callers.configuration()) }

        private static let claims = [
            #""uid":0"#, #""gid":0"#, #""pid":1"#, #""groups":[61778]"#, #""user":"root""#, #""caller":"operators""#,
            #""unit":"nginx.service""#, #""administrator":true"#, #""may_name_actor":true"#, #""peer":{"uid":0}"#,
            #""as":{"uid":0,"groups":[]}"#,
        ]

        @Test func noFieldSaysWhoOneIs() throws {
            let wire = try Callers.staff.connect(self.daemon)
            var id = 0
            for request in [
                #""op":"prompt","prompt":"hi""#, #""op":"chain","prompt":"hi""#, #""op":"embed","input":"hi""#,
                #""op":"status""#, #""op":"ping""#, #""op":"cancel","target":0"#, #""op":"reload""#, #""op":"drain""#,
            ] {
                for claim in Self.claims {
                    id += 1
                    try wire.send(#"{"id":\#(id),\#(request),\#(claim)}"#)
                    let answer = try wire.finish(id).last
                    #expect(answer.errorCode == "invalid_request", "\(request), \(claim): \(answer.text())")
                    #expect(answer.errorMessage?.contains("unknown field") == true, "\(answer.text())")
                }
            }
            #expect(try self.daemon.rows().isEmpty)
        }

        @Test func aFieldThatIsThereTwiceEndsTheConnection() throws {
            let wire = try Callers.web.connect(self.daemon)
            try wire.send(#"{"id":1,"op":"prompt","prompt":"hi","purpose":"chat","purpose":"payroll"}"#)
            #expect(try wire.next().errorCode == "invalid_json")
            #expect(try wire.receive() == nil)
        }

        @Test func whatIsOnRecordOfOthersCannotBeAskedFor() throws {
            let web = try Callers.web.connect(self.daemon)
            try web.send(#"{"id":1,"op":"prompt","prompt":"secret","purpose":"chat","actor":"ada"}"#)
            let conversation = try #require(try web.await("start", 1)["conversation"]?.string)
            _ = try web.finish(1)
            let staff = try Callers.staff.connect(self.daemon)
            for (id, filter) in [
                "", #","own":false"#, #","caller":"web""#, #","actor":"ada""#, #","actor":"uid:61001""#,
                #","purpose":"chat""#, #","model":"echo""#,
            ].enumerated() {
                for (number, op) in [(2 * id, "requests"), (2 * id + 1, "logs")] {
                    try staff.send(#"{"id":\#(number),"op":"\#(op)"\#(filter)}"#)
                    #expect(try staff.finish(number).last[op]?.array?.isEmpty == true, "\(op)\(filter)")
                }
            }
            for (id, request) in [
                100: #""op":"logs","conversation":"\#(conversation)""#, 101: #""op":"logs","search":"secret""#,
            ] {
                try staff.send(#"{"id":\#(id),\#(request)}"#)
                #expect(try staff.finish(id).last["logs"]?.array?.isEmpty == true)
            }
            try staff.send(#"{"id":102,"op":"prompt","prompt":"go on","conversation":"\#(conversation)"}"#)
            #expect(try staff.finish(102).last.errorCode == "not_found")
            try staff.send(#"{"id":103,"op":"requests","uid":61001}"#)
            #expect(try staff.finish(103).last.errorCode == "invalid_request")
        }

        @Test func requestsOfOthersCannotBeReached() throws {
            let operating = try Callers.operating.connect(self.daemon)
            try operating.prompt(1, model: "echo-fault", options: #"{"delay_ms":60000}"#)
            try operating.await("start", 1)
            let staff = try Callers.staff.connect(self.daemon)
            try staff.send(#"{"id":2,"op":"cancel","target":1}"#)
            #expect(try staff.finish(2).last.errorCode == "not_found")
            try operating.send(#"{"id":4,"op":"group_begin"}"#)
            let group = try #require(try operating.finish(4).last["group"]?.string)
            for (id, request) in [
                5: #""op":"group_end","group":"\#(group)""#, 6: #""op":"prompt","prompt":"hi","group":"\#(group)""#,
            ] {
                try staff.send(#"{"id":\#(id),\#(request)}"#)
                #expect(try staff.finish(id).last.errorCode == "not_found")
            }
            try staff.send(#"{"id":3,"op":"tool_result","target":1,"results":[{"tool_call_id":"t","output":"x"}]}"#)
            #expect(try staff.finish(3).last["event"]?.string == "error")
            try operating.send(#"{"id":2,"op":"cancel","target":1}"#)
            #expect(try operating.finish(1).last.errorCode == "cancelled")
        }

        /// The kernel's answer is that of the moment of connecting: neither a change of the process nor the handing on of a
        /// descriptor makes a connection another's.
        @Test func whoConnectedIsWhoAsks() throws {
            let web = try Callers.web.connect(self.daemon)
            // This process is root again, and uses the connection of the user that it was.
            try web.send(#"{"id":1,"op":"prompt","prompt":"hi","purpose":"chat"}"#)
            #expect(try web.finish(1).last["event"]?.string == "done")
            try web.send(#"{"id":2,"op":"drain"}"#)
            #expect(try web.finish(2).last.errorCode == "not_allowed")
            let root = try Wire(self.daemon.socket)
            try Callers.staff.perform { try root.send(#"{"id":1,"op":"prompt","prompt":"hi"}"#) }
            #expect(try root.finish(1).last["event"]?.string == "done")
            let rows = try self.daemon.rows()
            #expect(rows.map { $0["uid"] as Int? } == [61_001, 0])
            #expect(rows.map { $0["caller"] as String? } == ["web", nil])
        }

        @Test func aGroupThatIsLeftAfterConnectingCountsStillAndOneThatIsJoinedDoesNot() throws {
            let member = try Callers.operating.connect(self.daemon)
            let stranger = try Callers.stranger.connect(self.daemon)
            let joined = LocalUser(uid: Callers.stranger.uid, gid: Callers.stranger.gid, groups: [61_778])
            try joined.perform {
                try stranger.send(#"{"id":1,"op":"status"}"#)
                try member.send(#"{"id":1,"op":"requests"}"#)
            }
            #expect(try stranger.finish(1).last.errorCode == "not_allowed")
            #expect(try member.finish(1).last["event"]?.string == "done")
        }

        // MARK: Real processes

        @Test(.enabled(if: LocalUser.hasCommand, "needs setpriv(1)"))
        func processesOfOtherUsersAreWhoTheyAre() throws {
            let folder = try Folder()
            try folder.copy(["bulkhead"], to: "bin")
            func run(_ user: LocalUser, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String)
            {
                let options = ["--socket", self.daemon.socket]
                let words = user.command(
                    folder.path("bin/bulkhead"), Array(arguments.prefix(1)) + options + arguments.dropFirst())
                let run = try ProgramRun(URL(filePath: words[0]), Array(words.dropFirst()))
                return (try run.status(), run.output, run.errors)
            }
            #expect(try run(Callers.staff, ["prompt", #"{"raw":"hello"}"#]).output == "hello\n")
            let refused = try run(Callers.stranger, ["prompt", "hello"])
            #expect(refused.status != 0)
            #expect(
                refused.errors.contains("not_allowed: the user 61009 is no caller of this daemon"), "\(refused.errors)")
            let others = try run(Callers.web, ["requests", "--json"])
            #expect(others.output == "[]\n")
            let all = try run(Callers.operating, ["requests", "--caller", "staff"])
            #expect(all.output.contains("  61002  staff   -      "), "\(all.output)")
            let rows = try self.daemon.rows()
            #expect(rows.map { $0["uid"] as Int? } == [61_002])
            #expect(rows.map { $0["user_groups"] as String? } == ["[61500,61777]"])
            #expect(rows[0]["pid"] as Int? != Int(getpid()))
        }
    }
}
