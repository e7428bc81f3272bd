import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// Another configuration in the place of the one that is being served.
    @Suite struct Reload {
        private let upstream: TestUpstream
        private let gate = UpstreamGate()

        init() throws {
            self.upstream = try TestUpstream()
            for name in ["kept", "changed", "removed", "added"] {
                self.upstream.script("/\(name)/chat/completions") { [gate] request in
                    let body = try? JSONValue(parsing: request.body)
                    let isHeld = body?["messages"]?[0]?["content"]?.string == "held"
                    return .events(
                        [Self.delta("one ")],
                        then: (isHeld ? [.wait(gate)] : []) + [
                            .event(Self.delta("two")), .event(#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#),
                            .event("[DONE]"),
                        ])
                }
            }
        }

        private static func delta(_ text: String) -> String { #"{"choices":[{"delta":{"content":"\#(text)"}}]}"# }

        private func provider(_ name: String, slots: Int) -> String {
            "  \(name): {type: openai-compatible, base_url: \"\(self.upstream.url("/\(name)"))\", models: [\(name)], slots: \(slots)}\n"
        }

        private var before: String {
            "default_model: echo\nproviders:\n  echo: {slots: 8}\n" + self.provider("kept", slots: 32)
                + self.provider("changed", slots: 16) + self.provider("removed", slots: 16)
        }

        private var after: String {
            "default_model: echo\nproviders:\n" + self.provider("added", slots: 4) + self.provider("kept", slots: 32)
                + self.provider("changed", slots: 17) + "  echo: {slots: 8}\n"
        }

        private static func write(_ configuration: String, for daemon: Daemon) throws {
            try configuration.write(
                to: daemon.directory.appending(path: "bulkhead.yaml"), atomically: true, encoding: .utf8)
        }

        private static func reload(_ daemon: Daemon) throws -> JSONValue {
            let wire = try Wire(daemon.socket)
            try wire.send(#"{"id":1,"op":"reload"}"#)
            return try wire.next()
        }

        private static func pids(_ daemon: Daemon) throws -> [String: Int] {
            var pids: [String: Int] = [:]
            for provider in try daemon.status()["providers"]?.array ?? [] where provider["retired"] == nil {
                pids[try #require(provider["name"]?.string)] = try #require(provider["pid"]?.integer)
            }
            return pids
        }

        private static func names(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }

        /// Clients that prompt a provider, one prompt after the other, until they are told to stop.
        private final class Load: Sendable {
            private let state = Monitor((isOver: false, running: 0, done: 0, failures: [String]()))

            init(_ daemon: Daemon, model: String, clients: Int) throws {
                for _ in 0..<clients {
                    let wire = try Wire(daemon.socket)
                    self.state.withLock { $0.running += 1 }
                    Thread.detachNewThread { [state] in
                        var id = 0
                        while !state.withLock({ $0.isOver }) {
                            id += 1
                            let outcome = Result {
                                try wire.prompt(id, "hello", model: model)
                                return try wire.finish(id).last
                            }
                            state.withLock { state in
                                switch outcome {
                                case .success(let last) where last["event"]?.string == "done": state.done += 1
                                case .success(let last): state.failures.append(last.text())
                                case .failure(let error): state.failures.append("\(error)")
                                }
                            }
                        }
                        state.withLock { $0.running -= 1 }
                    }
                }
            }

            var done: Int { self.state.withLock { $0.done } }

            /// Waits until so many more have been answered.
            func goOn(for count: Int) throws {
                let goal = self.done + count
                #expect(self.state.wait(seconds: 60) { $0.done >= goal || !$0.failures.isEmpty })
            }

            /// Returns what was not answered.
            func stop() -> [String] {
                self.state.withLock { $0.isOver = true }
                #expect(self.state.wait(seconds: 60) { $0.running == 0 })
                return self.state.withLock { $0.failures }
            }
        }

        @Test func noStreamIsCutAndNoRequestRefusedWhileConfigurationsComeAndGo() throws {
            defer { self.upstream.stop() }
            let daemon = try Daemon(self.before)
            let echoes = try Load(daemon, model: "echo", clients: 8)
            let others = try Load(daemon, model: "kept", clients: 8)
            let streams = try ["kept": 24, "changed": 12, "removed": 12].flatMap { model, count in
                try (0..<count).map { _ in
                    let wire = try Wire(daemon.socket)
                    try wire.prompt(1, "held", model: model)
                    try wire.await("text", 1)
                    return wire
                }
            }
            #expect(streams.count + 16 == 64)
            let first = try Self.pids(daemon)

            // A bad one is refused whole: by place, and the old one serves on.
            try Self.write(self.after + "  kept2: {type: openai-compatble}\nsokcet: 1\n", for: daemon)
            let refused = try Self.reload(daemon)
            #expect(refused.errorCode == "invalid_configuration")
            let problems = Self.names(refused["problems"])
            let file = daemon.directory.appending(path: "bulkhead.yaml").path
            #expect(problems.count == 2 && problems.allSatisfy { $0.hasPrefix("\(file):") }, "\(problems)")
            #expect(problems.contains { $0.contains("unknown field 'sokcet'; did you mean 'socket'?") })
            #expect(daemon.log.contains("configuration refused: the one before serves on"))
            #expect(problems.allSatisfy { daemon.log.contains($0) })
            #expect(try Self.pids(daemon) == first)
            try echoes.goOn(for: 50)
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "removed")
            #expect(try wire.finish(1).text == "one two")

            // A good one.
            try Self.write(self.after, for: daemon)
            let taken = try Self.reload(daemon)
            #expect(Self.names(taken["added"]) == ["added"] && Self.names(taken["changed"]) == ["changed"])
            #expect(Self.names(taken["removed"]) == ["removed"])
            let second = try Self.pids(daemon)
            #expect(second["echo"] == first["echo"] && second["kept"] == first["kept"])
            #expect(second["changed"] != first["changed"] && second["removed"] == nil)
            for model in ["changed", "added", "kept"] {
                try wire.prompt(2, model: model)
                #expect(try wire.finish(2).text == "one two")
            }
            try wire.prompt(3, model: "removed")
            #expect(try wire.finish(3).last.errorCode == "unknown_model")
            try echoes.goOn(for: 50)
            try others.goOn(for: 50)

            // The old processes finish what they have, and end.
            let status = try daemon.status()
            let retired = status["providers"]?.array?.filter { $0["retired"]?.bool == true } ?? []
            #expect(Set(retired.compactMap { $0["name"]?.string }) == ["changed", "removed"])
            #expect(retired.map { $0["busy"]?.integer } == [12, 12])
            #expect(status["configuration"]?["generation"]?.integer == 2)
            for name in ["changed", "removed"] { #expect(ProcFS.exists(Int32(first[name]!))) }
            self.gate.open()
            for stream in streams {
                let (text, last) = try stream.finish(1)
                #expect(text == "two" && last["event"]?.string == "done", "\(last.text())")
            }
            #expect(echoes.stop() == [] && others.stop() == [])
            for name in ["changed", "removed"] {
                try wait(for: "the old process of \(name) to end") { !ProcFS.exists(Int32(first[name]!)) }
            }
            try wait(for: "the retired providers to be forgotten") {
                try daemon.status()["providers"]?.array?.count == 4
            }
            #expect(try Self.pids(daemon) == second)
            try daemon.waitUntilIdle()
            #expect(try daemon.rowStates().keys.sorted() == ["done"])
            try daemon.stop()
        }

        @Test func signalsUnderLoadCutNothing() throws {
            defer { self.upstream.stop() }
            let daemon = try Daemon(self.before)
            let loads = try ["echo", "kept", "changed"].map { try Load(daemon, model: $0, clients: 6) }
            let first = try Self.pids(daemon)
            for round in 1...6 {
                let configuration = round % 2 == 1 ? self.after : self.before
                try Self.write(configuration, for: daemon)
                for _ in 0..<round { kill(daemon.pid, SIGHUP) }
                try wait(for: "configuration \(round)") {
                    let status = try daemon.status()["configuration"]
                    return status?["generation"]?.integer == round + 1 && status?["reloading"]?.bool == false
                }
                for load in loads { try load.goOn(for: 10) }
            }
            for load in loads { #expect(load.stop() == []) }
            let last = try Self.pids(daemon)
            #expect(last["echo"] == first["echo"] && last["kept"] == first["kept"])
            try wait(for: "the retired providers to be forgotten") {
                try daemon.status()["providers"]?.array?.count == 4
            }
            #expect(try ProcFS.children(of: daemon.pid).count == 5, "four workers and the logger")
            try daemon.waitUntilIdle()
            #expect(try daemon.rowStates().keys.sorted() == ["done"])
        }

        @Test func aFileThatIsGoneOrMakesTheParserSpinIsRefused() throws {
            defer { self.upstream.stop() }
            let daemon = try Daemon(self.before)
            let first = try Self.pids(daemon)
            let file = daemon.directory.appending(path: "bulkhead.yaml")
            try FileManager.default.removeItem(at: file)
            let gone = try Self.reload(daemon)
            #expect(gone.errorCode == "invalid_configuration")
            #expect(Self.names(gone["problems"]).first?.contains(file.path) == true, "\(gone.text())")
            // Aliases of aliases of mappings that are names.
            var bomb = "a0: &a0 {x: 1}\n"
            for level in 1...40 { bomb += "a\(level): &a\(level) {? *a\(level - 1) : 1, ? [*a\(level - 1)] : 2}\n" }
            try Self.write(bomb, for: daemon)
            let spun = try Self.reload(daemon)
            #expect(spun.errorCode == "invalid_configuration", "\(spun.text())")
            try Self.write("socket: {mode: \"0600\"}\nproviders: {echo: {}}\n", for: daemon)
            #expect(try Self.reload(daemon).errorMessage?.hasPrefix("socket.mode cannot change") == true)
            #expect(try Self.pids(daemon) == first)
            #expect(try daemon.status()["configuration"]?["refused"]?.integer == 3)
            try Self.write(self.after, for: daemon)
            #expect(try Self.reload(daemon)["event"]?.string == "done")
        }

        @Test func aReaderOfTheConfigurationThatHangsOrCrashesCostsNothing() throws {
            defer { self.upstream.stop() }
            let folder = try Folder()
            try folder.copy(["bulkheadd"], to: "bin")
            try folder.copy(["bulkhead-logger", "bulkhead-worker"], to: "libexec/bulkhead")
            // What it does is in a file.
            let script = """
                #!/bin/sh
                . '\(folder.path("behaviour"))'
                exec '\(Checkout.program("bulkhead-config").path)' "$@"
                """
            let program = try folder.write(script, to: "libexec/bulkhead/bulkhead-config")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            try folder.write("", to: "behaviour")
            let run = try ProgramRun(
                URL(filePath: folder.path("bin/bulkheadd")),
                ["--socket", folder.path("s"), "--state-directory", folder.path("state")])
            try wait(for: "the daemon: \(run.errors)") {
                (try? Wire(folder.path("s")).status())?["providers"]?[0]?["state"]?.string == "ready"
            }
            let wire = try Wire(folder.path("s"))
            try folder.write("kill -SEGV $$", to: "behaviour")
            try wire.send(#"{"id":1,"op":"reload"}"#)
            #expect(try wire.finish(1).last.errorMessage?.contains("ended without an answer") == true)
            try folder.write("exec sleep 1000", to: "behaviour")
            try wire.send(#"{"id":2,"op":"reload"}"#)
            try wire.prompt(3, "meanwhile")
            #expect(try wire.finish(3).last["event"]?.string == "done")
            #expect(try wire.finish(2).last.errorMessage?.contains("could not be read within 10.0 seconds") == true)
            try folder.write("", to: "behaviour")
            try wire.send(#"{"id":4,"op":"reload"}"#)
            #expect(try wire.finish(4).last["event"]?.string == "done", "\(run.errors)")
            run.signal(SIGTERM)
            #expect(try run.status() == 0)
        }

        @Test func theServiceManagerIsToldOfAReload() throws {
            defer { self.upstream.stop() }
            let folder = try Folder()
            let manager = try NotifyListener(folder.path("notify"))
            let daemon = try Daemon(
                "providers: {echo: {}}\n", environment: ["NOTIFY_SOCKET": folder.path("notify")], start: false)
            try daemon.launch()
            #expect(try manager.next().first == "READY=1")
            for configuration in ["providers: {echo: {slots: 3}}\n", "nonsense"] {
                try Self.write(configuration, for: daemon)
                kill(daemon.pid, SIGHUP)
                let told = try manager.next()
                #expect(told.first == "RELOADING=1" && told.last == "STATUS=Reading the configuration")
                #expect(told.contains { $0.hasPrefix("MONOTONIC_USEC=") })
                #expect(try manager.next() == ["READY=1", "STATUS=Serving 1 provider"])
            }
            #expect(try daemon.provider("echo")["slots"]?.integer == 3)
            try daemon.stop()
        }

        @Test func theCommandLineReloadsAndDrains() throws {
            defer { self.upstream.stop() }
            let daemon = try Daemon(self.before)
            func bulkhead(_ arguments: String...) throws -> ProgramRun {
                let run = try ProgramRun(
                    Checkout.program("bulkhead"), arguments, environment: ["BULKHEAD_SOCKET": daemon.socket])
                try run.status()
                return run
            }
            try Self.write(self.after, for: daemon)
            let taken = try bulkhead("reload")
            #expect(taken.output == "The configuration is taken.\nadded: added\nchanged: changed\nremoved: removed\n")
            try Self.write("sokcet: 1\n", for: daemon)
            let refused = try bulkhead("reload")
            #expect(try refused.status() == 1)
            #expect(refused.errors.contains("bulkhead.yaml:1:1: unknown field 'sokcet'"), "\(refused.errors)")
            #expect(try bulkhead("drain").output == "The daemon finishes what is open, and stops.\n")
            try wait(for: "the daemon to end") { !ProcFS.exists(daemon.pid) }
        }

        @Test func theLoggerFollowsTheDurability() throws {
            defer { self.upstream.stop() }
            let daemon = try Daemon("log: {durability: commit}\nproviders: {echo: {}}\n")
            let load = try Load(daemon, model: "echo", clients: 4)
            for durability in ["relaxed", "commit"] {
                let logger = try daemon.loggerProcess
                try Self.write("log: {durability: \(durability)}\nproviders: {echo: {}}\n", for: daemon)
                #expect(try Self.reload(daemon)["event"]?.string == "done")
                try wait(for: "a logger that is \(durability)") {
                    let pid = (try? daemon.loggerProcess) ?? logger
                    return pid != logger && (try? ProcFS.bytes("cmdline", of: pid).contains(durability)) ?? false
                }
                try load.goOn(for: 20)
            }
            #expect(load.stop() == [])
            try daemon.waitUntilIdle()
            let rows = try daemon.rowStates()
            #expect(rows == ["done": load.done])
        }
    }
}
