import ArgumentParser
import JSON

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Send prompts and take the time (the default).")

    @OptionGroup var load: LoadOptions

    @Option(help: ArgumentHelp("Write the result to a file, as JSON.", valueName: "file"))
    var json: String?

    func run() throws {
        let report = try self.measure()
        print(report.text, terminator: "")
        if let file = self.json { try SmallFile.write(report.json.text(.init(indent: 2)) + "\n", to: file) }
        if report.tally.failed > 0 { throw ExitCode.failure }
    }

    private func measure() throws -> LoadReport {
        if let socket = self.load.socket {
            return try LoadMeasurement(socket: socket, workload: self.load.workload(model: nil)).run(self.load)
        }
        guard self.load.provider == .http else { return try self.measure(upstream: nil, port: nil) }
        let upstream = try UpstreamProcess(chunks: self.load.chunks ?? 1, chunkBytes: self.load.chunkBytes ?? 16)
        return try self.measure(upstream: upstream.pid, port: upstream.port)
    }

    private func measure(upstream: CInt?, port: UInt16?) throws -> LoadReport {
        let configuration = self.load.configuration(port: port)
        var daemon = try OwnDaemon(configuration, stateDirectory: self.load.stateDirectory)
        var measurement = LoadMeasurement(
            socket: daemon.socket, workload: self.load.workload(model: configuration.model))
        measurement.upstream = upstream
        measurement.configuration = configuration
        let report = try measurement.run(self.load)
        daemon.stop()
        return report
    }
}
