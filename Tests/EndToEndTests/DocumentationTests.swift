import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// What README.md shows works as it stands there.
    @Suite struct Documentation {
        private var readme: String {
            get throws { try String(contentsOf: Checkout.root.appending(path: "README.md"), encoding: .utf8) }
        }

        /// The fenced blocks of README.md in one language.
        private func blocks(_ language: String) throws -> [String] {
            try self.readme.components(separatedBy: "\n```\(language)\n").dropFirst().map {
                $0.components(separatedBy: "\n```")[0] + "\n"
            }
        }

        /// The command lines of README.md that begin with `bulkhead`, or pipe something into it, without their comments.
        private func commands() throws -> [String] {
            try self.readme.split(separator: "\n").filter { $0.hasPrefix("    ") }.compactMap { line in
                var command = line.drop { $0 == " " }
                if command.hasPrefix("$ ") { command = command.dropFirst(2) }
                let words = command.split(separator: " ")
                let isOurs = words.first == "bulkhead" || words.contains("|") && words.contains("bulkhead")
                guard isOurs, !command.contains("─") else { return nil }
                return command.components(separatedBy: "  #")[0].trimmingCharacters(in: .whitespaces)
            }
        }

        @Test(.enabled(if: ProgramRun.hasPython, "python3 is not on this machine"))
        func thePythonProgramPrintsAnAnswerAndSaysWhatIsWrong() throws {
            let programs = try self.blocks("python")
            try #require(programs.count == 1)
            let daemon = try Daemon()
            let run = try ProgramRun.python(["-c", programs[0]], environment: ["BULKHEAD_SOCKET": daemon.socket])
            #expect(try run.status() == 0, "\(run.errors)")
            #expect(run.output.hasPrefix("{\n  \"prompt\": \"hello\""), "\(run.output)")
            #expect(try daemon.rowStates() == ["done": 1])
            let other = programs[0].replacing(#""model": "echo""#, with: #""model": "ecko""#)
            let failed = try ProgramRun.python(["-c", other], environment: ["BULKHEAD_SOCKET": daemon.socket])
            #expect(try failed.status() == 1)
            #expect(failed.errors.hasPrefix("unknown_model: "), "\(failed.errors)")
        }

        @Test func theConfigurationIsAccepted() throws {
            let snippets = try self.blocks("yaml")
            try #require(snippets.count == 2)
            let folder = try Folder()
            let run = try CommandLine.run("config", "check", try folder.write(snippets[0], to: "bulkhead.yaml"))
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("default model: qwen3"))
            let daemon = try Daemon(snippets[0])
            let models = try CommandLine.run("models", "--all", socket: daemon.socket)
            #expect(models.output.contains("qwen3") && models.output.contains("gpt-4o-mini"), "\(models.output)")
        }

        @Test func theRequestIsExplainedAsItIsShown() throws {
            let daemon = try Daemon(try self.blocks("yaml")[1], environment: ["ENRICHMENTS_KEY": "sk-planted"])
            let run = try CommandLine.run(
                "explain", "-p", "enrichments", "--actor", "ada", "--as", "www-data", socket: daemon.socket)
            #expect(run.status == 0, "\(run.errors)")
            let shown = run.output.split(separator: "\n").map { "    \($0)\n" }.joined()
            #expect(try self.readme.contains(shown), "\(run.output)")
        }

        @Test func theRecipesForCallersAreAccepted() throws {
            let page = try String(contentsOf: Checkout.root.appending(path: "docs/callers.md"), encoding: .utf8)
            let recipes = page.components(separatedBy: "\n```yaml\n").dropFirst().map {
                $0.components(separatedBy: "\n```")[0] + "\n"
            }
            #expect(recipes.count == 4)
            let folder = try Folder()
            for recipe in recipes {
                let run = try CommandLine.run("config", "check", try folder.write(recipe, to: "bulkhead.yaml"))
                #expect(run.status == 0, "\(recipe)\(run.errors)")
            }
        }

        @Test func everyCommandLineRuns() throws {
            // What the commands name is there: the models, a file, a repository's difference, a reader of JSON.
            let upstream = try TestUpstream()
            defer { upstream.stop() }
            upstream.script("/v1/chat/completions", .json(#"{"choices":[{"message":{"content":"a message"}}]}"#))
            upstream.script("/v1/embeddings", .json(#"{"data":[{"index":0,"embedding":[0.5]}]}"#))
            let models = "[gpt-4o-mini, text-embedding-3-small]"
            let daemon = try Daemon(
                """
                default_model: echo
                providers:
                  echo: {type: echo}
                  openai: {type: openai-compatible, base_url: "\(upstream.url("/v1"))", models: \(models)}
                """)
            let folder = try Folder()
            try folder.write("it went wrong\n", to: "error.log")
            try folder.write("default_model: echo\n", to: "bulkhead.yaml")
            for (name, script) in ["git": "echo 'a difference'", "jq": "cat >/dev/null"] {
                let path = try folder.write("#!/bin/sh\n\(script)\n", to: name)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            let readme = try self.readme
            let commands = try self.commands()
            #expect(commands.count > 10)
            for command in commands {
                let run = try ProgramRun(
                    URL(filePath: "/bin/sh"), ["-c", "cd \(folder.url.path) && \(command)"],
                    environment: [
                        "BULKHEAD_SOCKET": daemon.socket,
                        "PATH":
                            "\(folder.url.path):\(Checkout.program("bulkhead").deletingLastPathComponent().path):/usr/bin:/bin",
                    ])
                let status = try run.status()
                switch command {
                case let command where command.contains("gtp-4o"): #expect(status == 1, "\(command)")
                case let command where command.contains("/nowhere"):
                    #expect(status == 69, "\(command)")
                    #expect(readme.contains(run.errors.trimmingCharacters(in: .newlines)), "\(run.errors)")
                default: #expect(status == 0, "\(command): \(run.errors)")
                }
            }
            let prompts = upstream.requests.filter { $0.target == "/v1/chat/completions" }
            let bodies = prompts.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies.count == commands.count { $0.contains("-m gpt-4o-mini") })
            #expect(
                bodies.contains { $0.contains("Write a commit message") && $0.contains("a difference") }, "\(bodies)")
            #expect(bodies.contains { $0.contains(#""temperature":0.2"#) }, "\(bodies)")
        }
    }
}
