import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// The store of secrets of a running daemon, by the command line.
    @Suite struct Secrets {
        private let upstream: TestUpstream
        private let daemon: Daemon
        private static let path = "/v1/chat/completions"

        init() throws {
            self.upstream = try TestUpstream()
            self.upstream.script(
                Self.path, .json(#"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}"#))
            self.daemon = try Daemon(
                """
                providers:
                  p: {type: openai-compatible, base_url: "\(self.upstream.url("/v1"))", models: [m], key: P_KEY}
                  q: {type: openai-compatible, base_url: "\(self.upstream.url("/v1"))", models: [n], key: Q_KEY}
                """)
        }

        private func bulkhead(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
            -> ProgramRun
        {
            try ProgramRun(
                Checkout.program("bulkhead"), arguments,
                environment: ["BULKHEAD_SOCKET": self.daemon.socket].merging(environment) { $1 }, input: input)
        }

        private func ask(_ model: String = "m") throws -> JSONValue {
            let wire = try Wire(self.daemon.socket)
            try wire.prompt(1, model: model)
            return try wire.finish(1).last
        }

        /// The key that the last request reached the provider with.
        private var lastKey: String? {
            self.upstream.requests.last?.header("authorization")?.replacingOccurrences(of: "Bearer ", with: "")
        }

        @Test func aSecretTakesEffectAtOnce() throws {
            defer { self.upstream.stop() }
            #expect(try self.ask().errorCode == "no_key")
            let worker = try self.daemon.worker("p")
            let set = try self.bulkhead(["secrets", "set", "P_KEY"], input: "sk-one\n")
            #expect(try set.status() == 0, "\(set.errors)")
            #expect(set.output == "Set: P_KEY\n")
            #expect(try self.ask()["event"]?.string == "done")
            #expect(self.lastKey == "sk-one")
            #expect(try self.bulkhead(["secrets", "set", "P_KEY"], input: "sk-two").status() == 0)
            #expect(try self.ask()["event"]?.string == "done")
            #expect(self.lastKey == "sk-two")
            #expect(try self.daemon.worker("p") == worker, "no process was replaced for a key")

            let list = try self.bulkhead(["secrets", "list"])
            #expect(try list.status() == 0)
            #expect(list.output.contains("P_KEY") && !list.output.contains("never") && !list.output.contains("sk-"))
            #expect(try self.bulkhead(["secrets", "rotate"]).status() == 0)
            #expect(try self.ask()["event"]?.string == "done")

            // It is there after a restart, and so is when it was used.
            try self.daemon.stop()
            try self.daemon.start()
            #expect(try self.ask()["event"]?.string == "done")
            #expect(self.lastKey == "sk-two")
            #expect(try self.bulkhead(["secrets", "rm", "P_KEY"]).status() == 0)
            #expect(try self.ask().errorCode == "no_key")
        }

        @Test func aSecretThatCannotBeReadDisablesItsOwnModelsOnly() throws {
            defer { self.upstream.stop() }
            for name in ["P_KEY", "Q_KEY"] {
                #expect(try self.bulkhead(["secrets", "set", name], input: "sk-\(name)").status() == 0)
            }
            let file = self.daemon.stateDirectory.appending(path: "secrets.json")
            let text = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
            var isFirst = true
            let broken = text.map { line -> String in
                guard isFirst, line.contains("\"tag\"") else { return line }
                isFirst = false
                return line.replacingOccurrences(of: ": \"", with: ": \"AAAA")
                    .replacingOccurrences(of: ":\"", with: ":\"AAAA")
            }
            try broken.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            #expect(try self.bulkhead(["secrets", "set", "OTHER"], input: "x").status() == 0)
            let failed = try self.ask("m")
            #expect(failed.errorCode == "no_key")
            #expect(failed.errorMessage?.contains("changed after it was encrypted") == true, "\(failed.text())")
            #expect(try self.ask("n")["event"]?.string == "done")
            let list = try self.bulkhead(["secrets", "list"])
            #expect(try list.status() == 0)
            #expect(list.output.contains("UNUSABLE: its record was changed"))
        }

        @Test func secretsOfDatasetteAndOfLLMAreImported() throws {
            defer { self.upstream.stop() }
            let folder = try Folder()
            let database = folder.path("internal.db")
            let queue = try DatabaseQueue(path: database)
            try queue.write { db in
                try db.execute(
                    sql: """
                        create table datasette_secrets (id integer primary key, name text not null, note text,
                        version integer not null default 1, encrypted blob, encryption_key_name text not null, deleted_at text)
                        """)
                for (name, token) in [("P_KEY", Self.token), ("BAD_KEY", "gAAAA")] {
                    try db.execute(
                        sql: """
                            insert into datasette_secrets (name, encrypted, encryption_key_name, note)
                            values (?, ?, 'default', 'from Datasette')
                            """, arguments: [name, Data(token.utf8)])
                }
            }
            try queue.close()
            let variable = ["DATASETTE_SECRETS_ENCRYPTION_KEY": Self.fernetKey]
            let run = try self.bulkhead(["secrets", "import", "--datasette", database], environment: variable)
            #expect(try run.status() == 1)
            #expect(run.output == "Imported: P_KEY\n", "\(run.errors)")
            #expect(run.errors.contains("skipped 'BAD_KEY': it is no Fernet token"))
            #expect(try self.ask()["event"]?.string == "done")
            #expect(self.lastKey == "sk-planted-0123456789")

            let keys = try folder.write(#"{"// Note": "n", "Q_KEY": "sk-q"}"#, to: "keys.json")
            #expect(try self.bulkhead(["secrets", "import", keys]).status() == 0)
            #expect(try self.ask("n")["event"]?.string == "done")
            #expect(self.lastKey == "sk-q")

            let keyFile = try folder.write(Self.fernetKey + "\n", to: "key.txt")
            let again = try self.bulkhead(["secrets", "import", "--datasette", database, "--key-file", keyFile])
            #expect(try again.status() == 1)
            #expect(again.output == "Imported: P_KEY\n")
            let none = try self.bulkhead([
                "secrets", "import", "--datasette", folder.path("none.db"), "--key-file", keyFile,
            ])
            #expect(try none.status() == 64)
            #expect(none.errors.contains("there is no file"))
        }

        private static let fernetKey = "-gEIDxYdJCsyOUBHTlVcY2pxeH-GjZSboqmwt77FzNM="
        /// "sk-planted-0123456789", under ``fernetKey``.
        private static let token =
            "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFyczQYjiJswOOXF1hU7U3crigt0w_9_4tPtxGScfGGdkhmFPCerEwbLqgxw0jhqL1uL2fiLmXtIo1QtyTfWvlaZig="

        @Test(.enabled(if: LocalUser.isPossible, LocalUser.reason))
        func whoIsNoAdministratorMayNot() throws {
            defer { self.upstream.stop() }
            chmod(self.daemon.socket, 0o666)
            let wire = try LocalUser(uid: 4_711, gid: 4_711).connect(self.daemon)
            try wire.send(#"{"id":1,"op":"secrets","action":"list"}"#)
            #expect(try wire.finish(1).last.errorCode == "not_allowed")
        }

        @Test func aConfigurationThatHasBecomeWrongLeavesTheSecretStored() throws {
            defer { self.upstream.stop() }
            let file = self.daemon.directory.appending(path: "bulkhead.yaml")
            let good = try String(contentsOf: file, encoding: .utf8)
            try "providers: 7".write(to: file, atomically: true, encoding: .utf8)
            let set = try self.bulkhead(["secrets", "set", "P_KEY"], input: "sk-one")
            #expect(try set.status() == 0)
            #expect(set.output == "Set: P_KEY\n")
            #expect(set.errors.contains("not in effect"), "\(set.errors)")
            #expect(try self.ask().errorCode == "no_key")
            try good.write(to: file, atomically: true, encoding: .utf8)
            kill(self.daemon.pid, SIGHUP)
            try wait(for: "the key") { try self.ask()["event"]?.string == "done" }
        }
    }
}
