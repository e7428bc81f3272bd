import Foundation
import JSON
import Testing

/// The real program with daemons of its own: what it says it did, it did.
@Suite(.serialized) struct RunTests {
    @Test func everyRequestOfARunIsCounted() throws {
        let result = try Self.run(
            "--connections", "4", "--depth", "3", "--requests", "100", "--warm-up", "10", "--chunks", "5",
            "--chunk-bytes", "20")
        #expect(result["answered"]?.integer == 100)
        #expect(result["failed"]?.integer == 0)
        #expect(result["chunks"]?.integer == 500)
        #expect(result["output_tokens"]?.integer == 500)
        #expect(result["conditions"]?["durability"]?.string == "commit")
        #expect(result["conditions"]?["prompts_stored"]?.bool == true)
        let names = result["processes"]?.array?.compactMap { $0["name"]?.string }
        #expect(names == ["supervisor", "logger", "worker echo-fault", "the load itself"])
    }

    @Test func wholeAnswersHaveNoChunks() throws {
        let result = try Self.run("--requests", "20", "--no-stream", "--durability", "relaxed", "--warm-up", "0")
        #expect(result["answered"]?.integer == 20)
        #expect(result["chunks"]?.integer == 0)
        #expect(result["first_chunk_us"]?.isNull == true)
        #expect(result["conditions"]?["durability"]?.string == "relaxed")
    }

    @Test(arguments: [false, true])
    func theUpstreamAnswersThroughTheWorker(isWhole: Bool) throws {
        let result = try Self.run(
            ["--provider", "http", "--connections", "3", "--requests", "30", "--warm-up", "5", "--chunks", "7"]
                + (isWhole ? ["--no-stream"] : []))
        #expect(result["answered"]?.integer == 30)
        #expect(result["failed"]?.integer == 0)
        #expect(result["chunks"]?.integer == (isWhole ? 0 : 210))
        #expect(result["output_tokens"]?.integer == 210)
        let names = result["processes"]?.array?.compactMap { $0["name"]?.string }
        #expect(names == ["supervisor", "logger", "worker upstream", "upstream (http)", "the load itself"])
    }

    @Test func aStartIsTimed() throws {
        let result = try Self.run("start", "--runs", "1")
        #expect(result["runs"]?.integer == 1)
        #expect(result["processes"]?.array?.count == 3)
    }

    @Test func promptsCanBeKeptOffTheRecord() throws {
        let result = try Self.run("--requests", "20", "--warm-up", "0", "--no-prompts")
        #expect(result["answered"]?.integer == 20)
        #expect(result["conditions"]?["prompts_stored"]?.bool == false)
    }

    @Test func aLargePolicyIsMeasuredBesideNone() throws {
        let result = try Self.run(
            "policy", "--rounds", "1", "--requests", "60", "--warm-up", "5", "--connections", "2", "--durability",
            "relaxed")
        #expect(result["purposes"]?.integer == 50)
        #expect(result["difference_us_per_request"] != nil && result["ratio"] != nil)
        let load = try Self.run("--policy", "--requests", "120", "--warm-up", "0")
        #expect(load["answered"]?.integer == 120)
        #expect(load["conditions"]?["purposes"]?.integer == 50)
    }

    @Test func wrongNumbersAreRefused() throws {
        #expect(try Self.start(["policy", "--rounds", "0"]).status == 64)
        #expect(try Self.start(["--policy", "--provider", "http"]).status == 64)
        #expect(try Self.start(["--policy", "--socket", "/nowhere"]).status == 64)
        #expect(try Self.start(["--connections", "0"]).status == 64)
        #expect(try Self.start(["--prompt-bytes", "31"]).status == 64)
        #expect(try Self.start(["--socket", "/nowhere", "--slots", "3"]).status == 64)
        #expect(try Self.start(["--socket", "/nowhere", "--no-prompts"]).status == 64)
        #expect(try Self.start(["--socket", "/nowhere"]).status == 1)
    }

    private static func run(_ arguments: String...) throws -> JSONValue { try self.run(arguments) }

    private static func run(_ arguments: [String]) throws -> JSONValue {
        let file = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        let (status, errors) = try self.start(arguments + ["--json", file.path])
        try #require(status == 0, "\(errors)")
        return try JSONValue(parsing: Array(try Data(contentsOf: file)))
    }

    private static func start(_ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = self.program
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    /// The one that scripts/test has built for installation, or the one beside the tests.
    private static var program: URL {
        if let directory = ProcessInfo.processInfo.environment["BULKHEAD_BIN"] {
            return URL(filePath: directory).appending(path: "bulkhead-bench")
        }
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "bulkhead-bench")
    }
}
