@preconcurrency import Glibc
import Synchronization

/// The pipes of a command: its standard input, output and error, with one end here and one there.
struct CommandPipes: Sendable {
    struct Failure: Error {
        let errno: CInt
    }

    /// Ends that do not block, of this program.
    let input, output, diagnostics: CInt
    /// Readable when the command has ended, and the end of its thread, which closes it then.
    let end, endOfWatch: CInt
    /// Ends of the command.
    private let itsInput, itsOutput, itsDiagnostics: CInt

    /// Held while a pipe is made and while a command starts, so that none inherits a pipe of another.
    private static let starting = Mutex(())

    init() throws(Failure) {
        var made: [CInt] = []
        func make() throws(Failure) -> (read: CInt, write: CInt) {
            do throws(Failure) {
                let ends = try Self.make()
                made += [ends.read, ends.write]
                return ends
            } catch {
                for descriptor in made { Glibc.close(descriptor) }
                throw error
            }
        }
        let (itsInput, input) = try make()
        let (output, itsOutput) = try make()
        let (diagnostics, itsDiagnostics) = try make()
        (self.end, self.endOfWatch) = try make()
        (self.input, self.output, self.diagnostics) = (input, output, diagnostics)
        (self.itsInput, self.itsOutput, self.itsDiagnostics) = (itsInput, itsOutput, itsDiagnostics)
        for descriptor in [input, output, diagnostics] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    }

    /// A pipe that no command inherits.
    private static func make() throws(Failure) -> (read: CInt, write: CInt) {
        var ends: [CInt] = [0, 0]
        let status = Self.starting.withLock { _ in
            let status = pipe(&ends) == 0 ? 0 : errno
            for end in ends where status == 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return status
        }
        guard status == 0 else { throw Failure(errno: status) }
        return (ends[0], ends[1])
    }

    /// Closes the ends of this program, but that of the input, which is closed when all of it is written.
    func close() {
        for descriptor in [self.output, self.diagnostics, self.end] { Glibc.close(descriptor) }
    }

    /// Closes what else is open where no command was started.
    ///
    /// - Parameter wasTried: Whether `spawn` was called, which closes the command's ends.
    func closeUnstarted(wasTried: Bool) {
        for descriptor in [self.input, self.endOfWatch] { Glibc.close(descriptor) }
        guard !wasTried else { return }
        for descriptor in [self.itsInput, self.itsOutput, self.itsDiagnostics] { Glibc.close(descriptor) }
    }

    /// Starts the command in a process group of its own, and returns 0 or an `errno` (`posix_spawn`). The command's ends
    /// are closed here in any case.
    func spawn(_ command: [String], environment more: [String: String], _ process: inout pid_t) -> CInt {
        defer { for descriptor in [self.itsInput, self.itsOutput, self.itsDiagnostics] { Glibc.close(descriptor) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, standard) in [(self.itsInput, 0), (self.itsOutput, 1), (self.itsDiagnostics, 2)] {
            posix_spawn_file_actions_adddup2(&actions, descriptor, CInt(standard))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This program blocks signals and ignores SIGPIPE; a command expects neither.
        var (none, ignored) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigemptyset(&ignored)
        sigaddset(&ignored, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &ignored)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let arguments = CStrings(command)
        let environment = CStrings(Self.environment(with: more))
        defer {
            arguments.free()
            environment.free()
        }
        return Self.starting.withLock { _ in
            posix_spawn(&process, command[0], &actions, &attributes, arguments.pointers, environment.pointers)
        }
    }

    /// What this program was given, and more.
    private static func environment(with more: [String: String]) -> [String] {
        var lines: [String] = []
        var next = environ
        while let line = next.pointee {
            let text = String(cString: line)
            if !more.keys.contains(where: { text.hasPrefix("\($0)=") }) { lines.append(text) }
            next += 1
        }
        return lines + more.map { "\($0.key)=\($0.value)" }
    }
}

/// Strings for a C function, ended by a null.
private struct CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) { self.pointers = strings.map { strdup($0) } + [nil] }

    func free() { for pointer in self.pointers { Glibc.free(pointer) } }
}
