import ArgumentParser
import BulkheadClient

/// How to reach the daemon.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's Unix socket. Default: $BULKHEAD_SOCKET, else $XDG_RUNTIME_DIR/bulkhead.sock or /run/bulkhead.sock.",
            valueName: "path"))
    var socket: String?

    var path: String { self.socket ?? SocketPath.current }

    /// Connects, runs `body`, and turns what goes wrong into a sentence on standard error and an exit status.
    func withClient(_ body: (BulkheadClient) async throws -> Void) async throws {
        do {
            let client = try await BulkheadClient.connect(self.path)
            defer { client.close() }
            try await body(client)
        } catch let error as ClientError {
            StandardStream.error.report(error)
            throw ExitStatus.of(error)
        } catch is OutputClosed {
            throw ExitStatus.outputClosed
        }
    }
}
