import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// `bulkhead` with tools, and the real daemon.
    @Suite struct ChainCommand {
        /// The tool of ``ToolUpstream`` as a shell script, and its description's path.
        private func tool(in folder: Folder) throws -> String {
            let script = #"printf %s "$(sed -E 's/.*"n":([0-9]+).*"part":([0-9]+).*/\1+\2/')""#
            chmod(try folder.write("#!/bin/sh\n\(script)\n", to: "add.sh"), 0o755)
            return try folder.write(
                #"{"name":"add","description":"Adds","command":["./add.sh"]}"#, to: "add.json")
        }

        @Test func aChainRunsWithEveryOptionThatAPromptHas() throws {
            let upstream = try ToolUpstream(rounds: 3)
            let daemon = try Daemon(upstream.configuration)
            let folder = try Folder()
            let tool = try self.tool(in: folder)
            let run = try CommandLine.run(
                "prompt", "-T", tool, "--schema", "name, age int", "-s", "S", "-u", "--cl", "3", "p",
                socket: daemon.socket)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output == "Round 1. Round 2. \(ToolUpstream.object)\n")
            #expect(run.errors == "Token usage: 30 input, 3 output\n")
            for request in upstream.upstream.requests {
                let body = try JSONValue(parsing: request.body)
                #expect(
                    body["response_format"]?["type"]?.string == "json_schema", "every round is asked with the schema")
                #expect(body["tools"]?.array?.count == 1)
            }

            let more = try CommandLine.run("-c", "-T", tool, "--no-stream", "-x", "more", socket: daemon.socket)
            #expect(more.status == 0 && more.output == "End.\n", "\(more.errors)")
            let last = try JSONValue(parsing: try #require(upstream.upstream.requests.last).body)
            #expect(last["messages"]?.array?.count == 10, "the whole conversation, with calls and results")

            let limited = try CommandLine.run("-T", tool, "--cl", "2", "p", socket: daemon.socket)
            #expect(limited.status == 1 && limited.output == "Round 1. Round 2.\n")
            #expect(limited.errors.hasPrefix("bulkhead: chain_limit_exceeded: Chain limit of 2 exceeded."))
            let resumed = try CommandLine.run("-c", "-T", tool, socket: daemon.socket)
            #expect(resumed.status == 0 && resumed.output == "End.\n", "\(resumed.errors)")
        }

        @Test func aChatRunsTools() throws {
            let upstream = try ToolUpstream(rounds: 2)
            let daemon = try Daemon(upstream.configuration)
            let folder = try Folder()
            let chat = try ProgramRun(
                Checkout.program("bulkhead"), ["chat", "--td", "-T", try self.tool(in: folder)],
                environment: ["BULKHEAD_SOCKET": daemon.socket, "PATH": "/usr/bin:/bin"], input: "one\ntwo\n")
            #expect(try chat.status() == 0, "\(chat.errors)")
            #expect(chat.output == "Round 1. End.\nEnd.\n")
            #expect(chat.errors.contains("Tool call: add({\"n\": 1, \"part\": 1})\n  1+1\n"), "\(chat.errors)")
        }

        @Test func theToolOfTheReadmeRuns() throws {
            let readme = try String(contentsOf: Checkout.root.appending(path: "README.md"), encoding: .utf8)
            let block = try #require(readme.components(separatedBy: "\n```json\n").dropFirst().first)
            let folder = try Folder()
            let file = try folder.write(block.components(separatedBy: "\n```")[0], to: "disk_usage.json")
            let daemon = try Daemon()
            let run = try ProgramRun(
                Checkout.program("bulkhead"), ["-T", file, "--td", #"{"tool_calls":[{"name":"disk_usage"}]}"#],
                environment: ["BULKHEAD_SOCKET": daemon.socket, "PATH": "/usr/bin:/bin"])
            #expect(try run.status() == 0, "\(run.errors)")
            #expect(
                run.errors.contains("Tool call: disk_usage({})") && run.errors.contains("Filesystem"), "\(run.errors)")
            #expect(!run.errors.contains("Exception"))
        }
    }
}
