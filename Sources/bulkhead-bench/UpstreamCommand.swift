import ArgumentParser
import Glibc

/// The process that `--provider http` starts. Of use alone, too: it serves until its standard input ends.
struct UpstreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstream",
        abstract: "Serve fixed chat completions on the loopback interface; print the port.")

    @Option(help: "How many pieces a streamed answer has.")
    var chunks = 1

    @Option(help: "How long each piece is.")
    var chunkBytes = 16

    func validate() throws {
        guard (1...LoadOptions.mostChunks).contains(self.chunks),
            (1...LoadOptions.mostChunkBytes).contains(self.chunkBytes)
        else { throw ValidationError("Chunks, or their size, are out of range.") }
    }

    func run() throws {
        var server = try UpstreamServer(UpstreamAnswer(chunks: self.chunks, chunkBytes: self.chunkBytes))
        let line = Array("\(server.port)\n".utf8)
        guard write(STDOUT_FILENO, line, line.count) == line.count else {
            throw BenchError(errno: errno, "cannot write the port")
        }
        server.run()
    }
}
