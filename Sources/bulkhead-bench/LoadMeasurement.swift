import Glibc

/// One measurement of a daemon that listens.
struct LoadMeasurement {
    /// How long the logger may take to write what waits when the last answer has come, in nanoseconds.
    private static let recordPatience: UInt64 = 60_000_000_000

    let socket: String
    let workload: Workload
    /// The process of the upstream that was started here.
    var upstream: CInt?
    /// How the daemon is configured, where it was started here.
    var configuration: DaemonConfiguration?

    init(socket: String, workload: Workload) {
        self.socket = socket
        self.workload = workload
    }

    func run(_ options: LoadOptions) throws(BenchError) -> LoadReport {
        var control = try ControlConnection(to: self.socket)
        var generator = try LoadGenerator(self.workload, socket: self.socket)
        if options.warmUp > 0 {
            let tally = try generator.run(LoadBound(requests: options.warmUp))
            guard tally.failed == 0 else {
                throw BenchError("the first requests fail: \(LoadReport.text(of: tally.errors))")
            }
        }
        _ = try Self.waitUntilRecorded(&control)

        let processes = try self.processes(control.status())
        let before = processes.map { ProcessReading(of: $0.pid) }
        let tally = try generator.run(options.bound)
        let recordedAfter = try Self.waitUntilRecorded(&control)
        let after = processes.map { ProcessReading(of: $0.pid) }
        let state = try control.status()
        return LoadReport(
            workload: self.workload, durability: state.durability, configuration: self.configuration, tally: tally,
            recordedAfter: recordedAfter,
            processes: zip(processes, zip(before, after)).map { process, readings in
                LoadReport.Process(
                    name: process.name,
                    processorTime: readings.1.processorTime - min(readings.0.processorTime, readings.1.processorTime),
                    peakResidentKiB: readings.1.peakResidentKiB)
            })
    }

    /// Those whose time is taken: the daemon's, the upstream and this one.
    private func processes(_ state: DaemonState) -> [DaemonProcess] {
        let upstream = self.upstream.map { [DaemonProcess(name: "upstream (http)", pid: $0)] } ?? []
        return state.processes + upstream + [DaemonProcess(name: "the load itself", pid: getpid())]
    }

    /// Waits until nothing waits for the disk, so that the time for it counts, and says how long that took, in
    /// nanoseconds.
    private static func waitUntilRecorded(_ control: inout ControlConnection) throws(BenchError) -> UInt64 {
        let start = Clock.now
        while try control.status().waitingRecords > 0 {
            try Interruption.check()
            guard Clock.now - start < Self.recordPatience else {
                throw BenchError("records still wait for the disk after \(Self.recordPatience / 1_000_000_000) s")
            }
            Clock.sleep(microseconds: 1_000)
        }
        return Clock.now - start
    }
}
