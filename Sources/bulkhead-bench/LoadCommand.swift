import ArgumentParser
import JSON

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Send prompts and take the time (the default).")

    @OptionGroup var load: LoadOptions

    @Option(help: ArgumentHelp("Write the result to a file, as JSON.", valueName: "file"))
    var json: String?

    func run() throws {
        let report = try self.load.measure()
        print(report.text, terminator: "")
        if let file = self.json { try SmallFile.write(report.json.text(.init(indent: 2)) + "\n", to: file) }
        if report.tally.failed > 0 { throw ExitCode.failure }
    }
}

extension LoadOptions {
    /// The same load with many purposes, models and callers, or without.
    func with(policy: Bool) -> LoadOptions {
        var options = self
        options.policy = policy
        return options
    }

    /// Runs it, and tells what was found.
    func measure() throws -> LoadReport {
        if let socket = self.socket {
            return try LoadMeasurement(socket: socket, workload: self.workload(model: nil)).run(self)
        }
        guard self.provider == .http else { return try self.measure(upstream: nil, port: nil) }
        let upstream = try UpstreamProcess(chunks: self.chunks ?? 1, chunkBytes: self.chunkBytes ?? 16)
        return try self.measure(upstream: upstream.pid, port: upstream.port)
    }

    private func measure(upstream: CInt?, port: UInt16?) throws -> LoadReport {
        let configuration = self.configuration(port: port)
        var daemon = try OwnDaemon(configuration, stateDirectory: self.stateDirectory)
        var measurement = LoadMeasurement(
            socket: daemon.socket, workload: self.workload(model: configuration.model))
        measurement.upstream = upstream
        measurement.configuration = configuration
        let report = try measurement.run(self)
        daemon.stop()
        return report
    }
}
