import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// The hooks that docs/hooks.md shows work as they stand there.
    @Suite(.enabled(if: ProgramRun.hasPython, "python3 is not on this machine")) struct HookDocumentation {
        private func block(_ language: String) throws -> String {
            let page = try String(contentsOf: Checkout.root.appending(path: "docs/hooks.md"), encoding: .utf8)
            let blocks = page.components(separatedBy: "\n```\(language)\n").dropFirst().map {
                $0.components(separatedBy: "\n```")[0] + "\n"
            }
            try #require(blocks.count == 1)
            return blocks[0]
        }

        /// The configuration of the page, with its programs where a test can write.
        private func configuration(_ folder: Folder) throws -> String {
            for (name, language) in ["cards.py": "python", "journal.sh": "sh"] {
                let path = try folder.write(try self.block(language), to: name)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            let yaml = try self.block("yaml")
                .replacing("/usr/local/lib/bulkhead", with: folder.url.path)
                .replacing("/var/lib/bulkhead", with: folder.url.path)
            return yaml + "default_model: echo\nproviders: {echo: {type: echo}}\n"
        }

        @Test func theyRefuseNoteAndAreTold() throws {
            let folder = try Folder()
            let daemon = try Daemon(try self.configuration(folder))
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, "pay with 4111 1111 1111 1111, please")
            let refused = try wire.finish(1).last
            #expect(refused.errorCode == "not_allowed")
            let page = try String(contentsOf: Checkout.root.appending(path: "docs/hooks.md"), encoding: .utf8)
            #expect(page.contains("not_allowed: \(try #require(refused.errorMessage))"))
            try wire.prompt(2, String(repeating: "long ", count: 1 << 18))
            #expect(
                try wire.finish(2).last.errorMessage
                    == "hook 'cards' refused the request: it is too long to be looked at")
            for id in 3...5 { try wire.prompt(id, "pay cash") }
            for last in try wire.finishAll(3...5).values { #expect(last["event"]?.string == "done") }
            let notes = try daemon.rows().map { $0["annotations"] as String? }
            #expect(notes == Array(repeating: #"{"cards":{"characters": 30}}"#, count: 3), "\(notes)")
            try wait(for: "the journal: \(daemon.log)") {
                let journal = (try? String(contentsOfFile: folder.path("journal.jsonl"), encoding: .utf8)) ?? ""
                return journal.split(separator: "\n").count == 3
            }
            let journal = try String(contentsOfFile: folder.path("journal.jsonl"), encoding: .utf8)
            for line in journal.split(separator: "\n") {
                #expect(try JSONValue(parsing: Array(line.utf8))["state"]?.string == "done")
            }
            // The journal is written before its answer is.
            try wait(for: "the answers: \(daemon.log)") {
                try daemon.status()["hooks"]?.array?.map { $0["answers"]?.integer } == [5, 3]
            }
            let hooks = try #require(try daemon.status()["hooks"]?.array)
            #expect(hooks.map { $0["deaths"]?.integer } == [0, 0], "\(daemon.log)")
            try daemon.stop()
            #expect(!daemon.log.contains("hook killed"), "both end with their input: \(daemon.log)")
        }
    }
}
