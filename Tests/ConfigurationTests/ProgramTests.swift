import Foundation
import Messages
import Testing

@Suite("The program") struct ProgramTests {
    @Test func answersTheSupervisorWithOneFrame() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("providers:\n  openai: {type: openai-compatible}\n")
        let run = try ProgramRun(
            ["--config", file, "--socket", "b.sock", "--state-directory", "/srv/b"],
            environment: ["OPENAI_API_KEY": "s3cret"],
            withChannel: true)
        #expect(run.exitCode == 0)
        #expect(run.output == "" && run.errors == "")
        guard case .configuration(let configuration) = try ConfigurationReply(decoding: run.onlyFrame()) else {
            Issue.record("refused")
            return
        }
        #expect(configuration.socketPath == FileManager.default.currentDirectoryPath + "/b.sock")
        #expect(configuration.stateDirectory == "/srv/b")
        #expect(configuration.providers.map(\.key) == ["s3cret"])
    }

    @Test func tellsTheSupervisorWhatIsWrong() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("testing: 1\n")
        let refused = try ProgramRun(
            ["--config", file, "--socket", "/s"], environment: ["HOME": "/h"], withChannel: true)
        #expect(refused.exitCode == 1)
        let problem = ConfigurationProblem(
            file: file, line: 1, column: 10, message: "field 'testing': expected true or false, found an integer")
        #expect(try ConfigurationReply(decoding: refused.onlyFrame()) == .refused([problem]))

        let missing = try ProgramRun(["--config=/nonexistent/b.yaml"], withChannel: true)
        #expect(missing.exitCode == 1)
        let noFile = ConfigurationProblem(
            file: "/nonexistent/b.yaml", line: 0, column: 0, message: "the file does not exist")
        #expect(try ConfigurationReply(decoding: missing.onlyFrame()) == .refused([noFile]))
    }

    @Test func readsTheFileOfTheConfigurationDirectoryIfThereIsOne() throws {
        let directory = try TemporaryDirectory()
        func service(_ arguments: [String]) throws -> ConfigurationReply {
            let run = try ProgramRun(
                arguments + ["--socket", "/s", "--state-directory", "/d"],
                environment: ["CONFIGURATION_DIRECTORY": directory.path], withChannel: true)
            return try ConfigurationReply(decoding: run.onlyFrame())
        }
        func drainTimeout(_ reply: ConfigurationReply) -> Int? {
            if case .configuration(let configuration) = reply { configuration.drainTimeoutMilliseconds } else { nil }
        }
        #expect(try drainTimeout(service([])) == 30_000, "there is no file, so these are the defaults")
        let named = try directory.write("drain_timeout: 7s\n", to: "other.yaml")
        let file = try directory.write("drain_timeout: 5s\n", to: "bulkhead.yaml")
        #expect(try drainTimeout(service([])) == 5_000)
        #expect(try drainTimeout(service(["--config", named])) == 7_000)
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        let problem = ConfigurationProblem(
            file: file, line: 0, column: 0, message: "this is a directory; name the file in it")
        #expect(try service([]) == .refused([problem]), "what cannot be read is not passed over")
    }

    @Test func checksAFileForAPerson() throws {
        let directory = try TemporaryDirectory()
        let good = try directory.write("providers:\n  openai: {type: openai-compatible, key: MY_KEY}\n")
        let accepted = try ProgramRun(
            ["--check", good], environment: ["HOME": "/home/ada", "XDG_RUNTIME_DIR": "/run/user/7", "MY_KEY": "s3cret"])
        #expect(accepted.exitCode == 0)
        #expect(accepted.errors == "")
        #expect(accepted.output.hasPrefix("\(good): ok\n"))
        #expect(
            accepted.output.contains(
                "provider openai: openai-compatible, https://api.openai.com/v1, 16 slots, 2 retries, key from MY_KEY (environment)\n"
            )
        )
        #expect(!accepted.output.contains("s3cret"))

        let warned = try ProgramRun(["--check", good])
        #expect(warned.exitCode == 0)
        #expect(
            warned.output.contains(
                "\nwarning: \(good):2:42: field 'providers.openai.key': there is no key MY_KEY:"))

        let bad = try directory.write("testing: 1\nsokcet: /x\n")
        let refused = try ProgramRun(["--check", bad])
        #expect(refused.exitCode == 1)
        #expect(refused.output == "")
        #expect(
            refused.errors == """
                \(bad):1:10: field 'testing': expected true or false, found an integer
                \(bad):2:1: unknown field 'sokcet'; did you mean 'socket'?

                """)
        #expect(
            try ProgramRun(["--check", directory.path]).errors
                == "\(directory.path): this is a directory; name the file in it\n")
    }

    @Test func explainsItselfAndRefusesWhatItDoesNotKnow() throws {
        let help = try ProgramRun(["--help"])
        #expect(help.exitCode == 0 && help.output.hasPrefix("Usage: bulkhead-config --check FILE\n"))
        #expect(try ProgramRun(["--version"]).output == "bulkhead-config \(SoftwareVersion.current)\n")
        for arguments in [
            ["--chek", "x"], ["x"], ["--check"], ["--check", "a", "--check", "b"], ["--check", "a", "--socket", "/s"],
        ] {
            let run = try ProgramRun(arguments)
            #expect(run.exitCode == 64)
            #expect(run.errors.hasPrefix("bulkhead-config: ") && run.errors.contains("\n\nUsage: bulkhead-config"))
        }
        let alone = try ProgramRun([])
        #expect(alone.exitCode == 64)
        #expect(alone.errors.contains("run bulkhead-config --check FILE"))
    }

    /// As many purposes, models, callers and hooks as there may be.
    @Test func aFileOfTheLargestSizeIsReadInTime() throws {
        let models = (0..<512).map { "model-\($0)" }.joined(separator: ", ")
        let list = (0..<60).map { "x/model-\($0)" }.joined(separator: ", ")
        let purposes = (0..<256).map {
            "p\($0): {model: {model: x/m, key: K\($0)}, models: [\(list)], blocked_models: [\(list)]}"
        }
        let callers = (0..<256).map { "c\($0): {user: [\($0), \($0 + 1000)], purposes: [p\($0)], models: [x/a]}" }
        let yaml = """
            providers: {x: {type: openai-compatible, base_url: 'https://x', models: [\(models)]}}
            models: [\(models.replacing("model", with: "modal"))]
            purposes: {\(purposes.joined(separator: ", "))}
            callers: {\(callers.joined(separator: ", "))}
            """
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(
            ["--config", try directory.write(yaml), "--socket", "/s", "--state-directory", "/d"], withChannel: true)
        guard case .configuration(let configuration) = try ConfigurationReply(decoding: run.onlyFrame()) else {
            Issue.record("\(run.errors)")
            return
        }
        #expect(configuration.policy.purposes.count == 256 && configuration.policy.callers.count == 256)
        #expect(configuration.warnings.count == 100)
    }

    @Test func aFileMadeToKeepItBusyCostsALittleTimeOnly() throws {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            yaml += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let directory = try TemporaryDirectory()
        let run = try ProgramRun(["--check", try directory.write(yaml + "? *a20\n: 1\n")])
        #expect(run.exitCode == 1)
        #expect(run.errors == "bulkhead-config: the file takes too long to read; simplify its anchors and nesting\n")
    }
}

/// A directory that goes away with the value.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/configuration-XXXXXX").utf8CString)
        try #require(mkdtemp(&template) != nil)
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    /// Writes a file, of a name of its own where none is given, and returns its path.
    func write(_ text: String, to name: String = "\(UUID().uuidString).yaml") throws -> String {
        let path = "\(self.path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }
}
