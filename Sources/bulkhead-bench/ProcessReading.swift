import Glibc

/// What the kernel says of a process at one moment.
struct ProcessReading: Equatable, Sendable {
    /// User and system time of all its threads so far, in nanoseconds; 0 if it cannot be read.
    ///
    /// From the process's own clock (`clock_getcpuclockid`): /proc/PID/stat counts the same in steps of 10 ms.
    var processorTime: UInt64
    /// Memory that is resident, in KiB: `VmRSS`.
    var residentKiB: Int
    /// The most that ever was resident, in KiB: `VmHWM`.
    var peakResidentKiB: Int
    /// What is resident, pages that processes share divided among them, in KiB. `nil` where the kernel does not tell: for
    /// another user's process, and a worker's, which nobody but root may look into.
    var proportionalKiB: Int?

    init(of pid: CInt) {
        var clock = clockid_t()
        self.processorTime = clock_getcpuclockid(pid, &clock) == 0 ? Clock.read(clock) : 0
        let status = Self.lines("/proc/\(pid)/status")
        self.residentKiB = Self.kibibytes("VmRSS", in: status) ?? 0
        self.peakResidentKiB = Self.kibibytes("VmHWM", in: status) ?? 0
        self.proportionalKiB = Self.kibibytes("Pss", in: Self.lines("/proc/\(pid)/smaps_rollup"))
    }

    private static func lines(_ path: String) -> [Substring] {
        guard let bytes = try? SmallFile.read(path) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// The number of a line such as `VmRSS:    5120 kB`.
    static func kibibytes(_ name: String, in lines: [Substring]) -> Int? {
        guard let line = lines.first(where: { $0.hasPrefix("\(name):") }) else { return nil }
        return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
    }
}
