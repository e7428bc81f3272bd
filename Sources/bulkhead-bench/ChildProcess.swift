import Glibc

/// A process that the measurement has started, and ends.
struct ChildProcess: ~Copyable {
    let pid: CInt
    private var isGone = false

    /// Starts a program (`posix_spawn`) in a process group of its own, so that a Ctrl-C is ours alone, with an empty
    /// environment, no signal blocked, and what is given as its standard descriptors.
    init(
        _ path: String, _ arguments: [String], input: CInt, output: CInt, errors: CInt
    ) throws(BenchError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in [input, output, errors].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, CInt(number))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, CShort(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var pid: pid_t = 0
        let status = posix_spawn(&pid, path, &actions, &attributes, &words, &environment)
        guard status == 0 else { throw BenchError(errno: status, "cannot start '\(path)'") }
        self.pid = pid
    }

    deinit {
        guard !self.isGone else { return }
        kill(self.pid, SIGKILL)
        waitpid(self.pid, nil, 0)
    }

    /// Whether it has ended (`waitpid`).
    mutating func hasEnded() -> Bool {
        if !self.isGone { self.isGone = waitpid(self.pid, nil, WNOHANG) == self.pid }
        return self.isGone
    }

    /// Asks it to end and waits until it has; one that does not within so many seconds is killed.
    mutating func stop(withinSeconds seconds: UInt64) {
        let deadline = Clock.now + seconds * 1_000_000_000
        if !self.hasEnded() { kill(self.pid, SIGTERM) }
        while !self.hasEnded(), Clock.now < deadline { Clock.sleep(microseconds: 1_000) }
    }
}

/// Where the programs of Bulkhead are: beside this one, as a build leaves them, or where a package puts them.
enum ProgramLocator {
    /// This program's own file.
    static let own = "/proc/self/exe"

    static func find(_ name: String) throws(BenchError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(Self.own, &buffer, buffer.count - 1)
        guard count > 0 else { throw BenchError(errno: errno, "cannot read \(Self.own)") }
        let path = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let candidates = ["\(directory)/\(name)", "\(directory)/../bin/\(name)", "\(directory)/../../bin/\(name)"]
        for candidate in candidates where access(candidate, X_OK) == 0 { return candidate }
        throw BenchError(
            "\(name) is missing: looked for \(candidates.joined(separator: ", ")). Build it: scripts/build")
    }
}
