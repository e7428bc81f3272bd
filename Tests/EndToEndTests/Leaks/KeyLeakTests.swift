import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// Keys from every source, under load, errors, crashes and reloads: none is where it should not be.
    @Suite struct KeyLeaks {
        private static let environment = PlantedKey("ENVIRONMENT_KEY")
        private static let stored = PlantedKey("STORED_KEY")
        private static let listed = PlantedKey("LISTED_KEY")
        private static let credential = PlantedKey("CREDENTIAL_KEY")
        private static let purpose = PlantedKey("PURPOSE_KEY")
        /// In the environment, and nobody's key.
        private static let bystander = PlantedKey("BYSTANDER_KEY")
        private static let replaced = PlantedKey("REPLACED_KEY")
        private static let keys = [environment, stored, listed, credential, purpose, bystander, replaced]
        private static let masterKey = "bWFzdGVyIGtleSBvZiAzMiBieXRlcyBvZiBhIHRlc3Q="

        private static let keyOfProvider = [
            "chat": environment, "responses": stored, "messages": listed, "gemini": credential,
        ]
        private static let uid: UInt32 = 65_534

        private let upstream: TestUpstream
        private let programs: WiretappedPrograms
        private let daemon: Daemon
        private let credentials: Folder
        /// All that clients were sent.
        private let heard = Heard()

        final class Heard { var bytes = Data() }

        init() throws {
            self.upstream = try TestUpstream()
            self.programs = try WiretappedPrograms()
            self.credentials = try Folder()
            try self.credentials.write(Self.credential.value + "\n", to: "CREDENTIAL_KEY")
            try self.credentials.write(Self.masterKey + "\n", to: "bulkhead-master-key")
            let keys = try self.credentials.write(
                #"{"// Note": "n", "LISTED_KEY": "\#(Self.listed.value)"}"#, to: "keys.json")
            let at = self.upstream.url()
            let providers = SpokenAPI.all.map {
                $0.configuration(at: at, key: Self.keyOfProvider[$0.name]!.name)
                    .replacingOccurrences(of: "slots: 1", with: "slots: 4")
            }
            let yaml =
                """
                secrets: {llm_keys: \(keys)}
                purposes: {sql: {model: {model: chat, key: PURPOSE_KEY}}}
                providers:
                  echo: {type: echo}

                """ + providers.joined(separator: "\n")
            let environment = [
                "ENVIRONMENT_KEY": Self.environment.value, "BYSTANDER_KEY": Self.bystander.value,
                "CREDENTIALS_DIRECTORY": self.credentials.url.path,
            ]
            // As another user, so that what the kernel shows of its processes tells whether they would leave cores; and with
            // cores allowed by who starts it.
            let launcher =
                getuid() == 0
                ? ["/usr/bin/prlimit", "--core=unlimited", "/usr/bin/setpriv", "--reuid=\(Self.uid)", "--clear-groups"]
                : ["/usr/bin/prlimit", "--core"]
            self.daemon = try Daemon(
                yaml, environment: environment, launcher: getuid() == 0 ? launcher : [], program: self.programs.daemon,
                start: false)
            if getuid() == 0 {
                for folder in [self.daemon.directory.path, self.credentials.url.path] {
                    try FileManager.default.setAttributes(
                        [.ownerAccountID: Self.uid, .posixPermissions: 0o755], ofItemAtPath: folder)
                }
                for name in ["CREDENTIAL_KEY", "bulkhead-master-key", "keys.json"] {
                    try FileManager.default.setAttributes(
                        [.ownerAccountID: Self.uid, .posixPermissions: 0o600],
                        ofItemAtPath: self.credentials.path(name))
                }
            }
        }

        @Test(.enabled(if: ProgramRun.hasPython)) func noKeyIsWhereItShouldNotBe() throws {
            defer { self.upstream.stop() }
            self.answer { _ in nil }
            try self.daemon.start()
            try self.setSecret(Self.stored, Self.stored.value)
            try self.setSecret(Self.purpose, Self.replaced.value)
            try self.setSecret(Self.purpose, Self.purpose.value)
            try self.expectNothingInProcesses()

            // Answers, streamed and whole; each provider gets its own key.
            try self.ask(times: 4)
            try self.expectKeysUpstream()
            try self.expectNothingInProcesses()

            // Errors that repeat the key.
            for echo in Self.echoes {
                self.answer { request in echo(Self.authorization(of: request)) }
                try self.ask(times: 2)
            }
            self.answer { _ in nil }
            try self.questions()

            // A worker crashes in the middle of requests, and the logger is killed.
            let gate = UpstreamGate()
            for api in SpokenAPI.all {
                for path in api.paths { self.upstream.script(path, api.afterText([.wait(gate)])) }
            }
            let wire = try Wire(self.daemon.socket)
            for (index, api) in SpokenAPI.all.enumerated() { try wire.prompt(index, model: api.name) }
            #expect(gate.awaitWaiting(SpokenAPI.all.count))
            try self.expectNothingInProcesses()
            for api in SpokenAPI.all {
                for pid in try ProcFS.children(of: try self.daemon.worker(api.name)) { kill(pid, SIGSEGV) }
            }
            let logger = try self.daemon.loggerProcess
            kill(logger, SIGKILL)
            for index in SpokenAPI.all.indices { self.hear(try wire.finish(index).last) }
            gate.open()
            try wait(for: "another logger") { try self.daemon.loggerProcess != logger }
            try self.daemon.waitUntilIdle()
            self.answer { _ in nil }
            try self.ask(times: 2)

            // The configuration is read anew, and the store is worked on.
            kill(self.daemon.pid, SIGHUP)
            try self.act(#""action":"rotate""#)
            try self.act(#""action":"list""#)
            try self.act(#""action":"rm","name":"STORED_KEY""#)
            try self.ask(times: 1)
            try self.expectNothingInProcesses()
            try self.questions()
            try self.daemon.stop()
            try self.expectNothingOnDisk()
            try self.expectNothingInFrames()
        }

        // MARK: What is done

        /// Ways in which servers repeat what they were asked with.
        private static let echoes: [@Sendable (String) -> UpstreamResponse] = [
            { .json(#"{"error":{"message":"Incorrect API key provided: \#($0)","code":401}}"#, status: 401) },
            { .json(#"{"error":{"message":"\#($0)"}}"#, status: 400, headers: [("x-request-id", $0)]) },
            { .json(Data($0.utf8).base64EncodedString(), status: 403) },
            { .json(String(repeating: "y", count: 985) + $0, status: 500) },
            { .json(#"{"error":{"message":"\#(String(repeating: "y", count: 1000) + $0)"}}"#, status: 400) },
            { .json(#"{"what":"\#($0)"}"#) },
            { .events([#"{"error":{"message":"\#($0)","type":"authentication_error"},"type":"error"}"#]) },
            { .json("", status: 302, headers: [("Location", "http://elsewhere/?key=\($0)")]) },
        ]

        /// What a provider was asked with, wherever its API has that.
        private static func authorization(of request: UpstreamRequest) -> String {
            request.header("authorization") ?? request.header("x-api-key") ?? request.header("x-goog-api-key") ?? "none"
        }

        /// Says how all providers answer; `nil` is an answer.
        private func answer(_ respond: @escaping @Sendable (UpstreamRequest) -> UpstreamResponse?) {
            for api in SpokenAPI.all {
                for path in api.paths {
                    self.upstream.script(path) { request in
                        if let response = respond(request) { return response }
                        let body = String(decoding: request.body, as: UTF8.self)
                        let isStreamed = request.target.contains("stream") || body.contains("\"stream\":true")
                        return isStreamed ? .events(api.beginning + [api.text] + api.end) : .json(api.whole)
                    }
                }
            }
        }

        /// Asks every provider, and one of them for a purpose too, streamed and whole, all at once.
        private func ask(times: Int) throws {
            let wire = try Wire(self.daemon.socket)
            var number = 0
            for _ in 0..<times {
                for api in SpokenAPI.all {
                    for stream in [true, false] {
                        number += 1
                        try wire.prompt(number, model: api.name, stream: stream)
                    }
                }
                number += 1
                try wire.send(#"{"id":\#(number),"op":"prompt","prompt":"hi","purpose":"sql"}"#)
            }
            var open = Set(1...number)
            while !open.isEmpty {
                let frame = try wire.next()
                self.hear(frame)
                if ["done", "error"].contains(frame["event"]?.string) { open.remove(frame["id"]?.integer ?? 0) }
            }
        }

        private func setSecret(_ key: PlantedKey, _ value: String) throws {
            let answer = try self.act(#""action":"set","name":"\#(key.name)","value":"\#(value)","note":"planted""#)
            #expect(answer["changed"]?[0]?.string == key.name, "\(answer.text())")
            #expect(answer["advice"] == nil, "\(answer.text())")
        }

        @discardableResult
        private func act(_ members: String) throws -> JSONValue {
            let wire = try Wire(self.daemon.socket)
            try wire.send(#"{"id":1,"op":"secrets",\#(members)}"#)
            let answer = try wire.finish(1).last
            self.hear(answer)
            return answer
        }

        /// Everything that can be asked of the daemon.
        private func questions() throws {
            let wire = try Wire(self.daemon.socket)
            for (number, op) in ["models", "status", "logs", "requests", "ping"].enumerated() {
                try wire.send(#"{"id":\#(number),"op":"\#(op)"}"#)
                self.hear(try wire.finish(number).last)
            }
        }

        private func hear(_ frame: JSONValue) { self.heard.bytes += Data(frame.text().utf8) }

        // MARK: What must hold

        private func expectKeysUpstream() throws {
            var seen: [String: Set<String>] = [:]
            for request in self.upstream.requests {
                let api = try #require(
                    SpokenAPI.all.first { $0.paths.contains(String(request.target.prefix { $0 != "?" })) })
                let key = Self.authorization(of: request).replacingOccurrences(of: "Bearer ", with: "")
                seen[api.name, default: []].insert(key)
            }
            #expect(seen["chat"] == [Self.environment.value, Self.purpose.value])
            for name in ["responses", "messages", "gemini"] {
                #expect(seen[name] == [Self.keyOfProvider[name]!.value], "\(name)")
            }
        }

        private func expectNothingInProcesses() throws {
            var processes = [self.daemon.pid]
            var next = 0
            while next < processes.count {
                processes += try ProcFS.children(of: processes[next])
                next += 1
            }
            #expect(processes.count > SpokenAPI.all.count + 2)
            for pid in processes {
                for name in ["environ", "cmdline", "comm", "status"] {
                    let bytes = Data(try ProcFS.bytes(name, of: pid).utf8)
                    for key in Self.keys { #expect(!key.isIn(bytes), "\(key) is in \(name) of \(pid)") }
                    #expect(bytes.range(of: Data(Self.masterKey.utf8)) == nil, "the master key is in \(name) of \(pid)")
                }
            }
            guard getuid() == 0 else { return }
            for pid in processes where ProcFS.program(of: pid)?.contains("bulkhead") ?? false {
                let limits = try ProcFS.bytes("limits", of: pid)
                let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") } ?? ""
                #expect(core.split(separator: " ").suffix(3).prefix(2) == ["0", "0"], "\(core) of \(pid)")
                // What a process that leaves no core has in /proc belongs to root.
                let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(pid)/environ")[.ownerAccountID]
                #expect(owner as? Int == 0, "\(ProcFS.program(of: pid) ?? "") may leave a core")
            }
        }

        private func expectNothingOnDisk() throws {
            var files = 0
            for folder in [self.daemon.stateDirectory.path, self.daemon.directory.path] {
                for file in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                    guard let content = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
                    files += 1
                    for key in Self.keys { #expect(!key.isIn(content), "\(key) is in \(file)") }
                    #expect(content.range(of: Data(Self.masterKey.utf8)) == nil, "the master key is in \(file)")
                }
            }
            #expect(files >= 4, "the log, the record, the secrets and when they were used")
        }

        private func expectNothingInFrames() throws {
            for key in Self.keys { #expect(!key.isIn(self.heard.bytes), "a client was told \(key)") }
            #expect(self.heard.bytes.range(of: Data("[key]".utf8)) != nil)
            for direction in [WiretappedPrograms.Direction.fromSupervisor, .toSupervisor] {
                let logger = try self.programs.said(direction, "bulkhead-logger")
                #expect(logger.count > 1000)
                for key in Self.keys { #expect(!key.isIn(logger), "\(key) is in a frame \(direction) of the logger") }
            }
            for provider in ["echo"] + SpokenAPI.all.map(\.name) {
                let own = Self.keyOfProvider[provider].map { [$0] } ?? []
                let allowed = Set((provider == "chat" ? own + [Self.purpose] : own).map(\.name))
                let sent = try self.programs.said(.fromSupervisor, "bulkhead-worker-\(provider)")
                let answered = try self.programs.said(.toSupervisor, "bulkhead-worker-\(provider)")
                #expect(!sent.isEmpty && !answered.isEmpty)
                for key in Self.keys {
                    #expect(key.isIn(sent) == allowed.contains(key.name), "\(key) and the worker of \(provider)")
                    #expect(!key.isIn(answered), "the worker of \(provider) says \(key)")
                }
            }
        }
    }
}
