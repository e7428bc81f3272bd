import CLinux
import Glibc

/// Turns this process into another program that has what it needs, and nothing else of the daemon's.
struct Launch {
    let path: String
    let arguments: [String]
    /// Who must be the parent; `nil`: anybody may.
    let parent: pid_t?

    /// Why there is no program, and what this process exits with then.
    struct Failure: Error {
        let message: String
        let exitCode: CInt

        /// `EX_OSERR` of sysexits(3).
        static func system(_ call: String) -> Failure {
            Failure(message: "\(call): \(String(cString: strerror(errno)))", exitCode: 71)
        }
    }

    /// Descriptors that a program may expect to be able to open: what select(2) can hold. The daemon's own bound is higher.
    private static let descriptors: rlim_t = 1024
    /// Where the daemon leaves the channel.
    private static let channel: CInt = 3

    /// Returns only by an error.
    func run() throws(Failure) {
        try self.endWithParent()
        // Its own session: a Ctrl-C in the daemon's terminal is not for it, and all that it starts can be killed with it. This fails
        // only where it leads one already.
        setsid()
        guard CLinux_set_no_new_privileges() == 0 else { throw .system("prctl(PR_SET_NO_NEW_PRIVS)") }
        try self.limit()
        self.resetSignals()
        try self.connect()
        try self.execute()
    }

    /// Asks the kernel for a SIGKILL when the parent ends; if it has ended before that, nobody would send one.
    private func endWithParent() throws(Failure) {
        guard CLinux_set_parent_death_signal(SIGKILL) == 0 else { throw .system("prctl(PR_SET_PDEATHSIG)") }
        guard self.parent.map({ getppid() == $0 }) ?? true else {
            throw Failure(message: "the process that asked for \(self.path) is gone", exitCode: 71)
        }
    }

    private func limit() throws(Failure) {
        // What people ask passes through it: no core files.
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core) == 0 else { throw .system("setrlimit") }
        var open = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &open) == 0, open.rlim_cur > Self.descriptors else { return }
        open.rlim_cur = Self.descriptors
        guard setrlimit(resource, &open) == 0 else { throw .system("setrlimit") }
    }

    /// A disposition to ignore, and a mask, outlive an exec.
    private func resetSignals() {
        // The two after the last standard one are the C library's own, and refuse.
        for number in 1..<65 { signal(CInt(number), SIG_DFL) }
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
    }

    /// The channel becomes standard input and output. Of all other descriptors only standard error is left.
    private func connect() throws(Failure) {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            guard dup2(Self.channel, descriptor) >= 0 else { throw .system("no channel on descriptor 3: dup2") }
        }
        guard CLinux_close_range(CUnsignedInt(Self.channel), .max) == 0 else { throw .system("close_range") }
    }

    private func execute() throws(Failure) {
        var pointers: [UnsafeMutablePointer<CChar>?] = self.arguments.map { strdup($0) }
        pointers.append(nil)
        execv(self.path, pointers)
        let reason = errno
        var message = "cannot run \(self.path): \(String(cString: strerror(reason)))"
        if reason == ENOENT, access(self.path, F_OK) == 0 {
            message += "; the interpreter that its first line names is not there"
        } else if reason == EACCES, access(self.path, F_OK) == 0 {
            message += "; it must be a file that the daemon's user may execute (chmod +x)"
        } else if reason == ENOEXEC {
            message += "; a script begins with #! and its interpreter"
        }
        throw Failure(message: message, exitCode: reason == ENOENT ? 127 : 126)
    }
}
