import BulkheadClient
import Glibc

/// Writes a command's input and reads what it prints, until the command ends.
struct CommandExchange {
    private let pipes: CommandPipes
    private var input: ArraySlice<UInt8>
    private var output: [UInt8] = []
    private var outputIsCut = false
    private var diagnostics: [UInt8] = []
    private var inputIsOpen = true
    private var openOutputs: Set<CInt>
    /// Whether the pipe that was read last is empty.
    private var hasDrained = false

    init(_ pipes: CommandPipes, input: [UInt8]) {
        self.pipes = pipes
        self.input = input[...]
        self.openOutputs = [pipes.output, pipes.diagnostics]
    }

    var outputText: String {
        let note = "\n[The output was cut here, at \(Text.size(bytes: CommandRun.outputBound)).]"
        return String(decoding: self.output, as: UTF8.self) + (self.outputIsCut ? note : "")
    }

    var diagnosticsText: String { String(decoding: self.diagnostics, as: UTF8.self) }

    /// Returns whether the process has ended in time. It is not reaped.
    mutating func run(until process: pid_t, timeoutMilliseconds: Int) -> Bool {
        defer { self.closeInput() }
        self.watch(process)
        let deadline = Self.now + timeoutMilliseconds
        while true {
            self.writeInput()
            var polls = [pollfd(fd: self.pipes.end, events: Int16(POLLIN), revents: 0)]
            polls += self.openOutputs.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if self.inputIsOpen { polls.append(pollfd(fd: self.pipes.input, events: Int16(POLLOUT), revents: 0)) }
            let remaining = deadline - Self.now
            guard remaining > 0 else { return false }
            guard poll(&polls, nfds_t(polls.count), CInt(min(remaining, 60_000))) > 0 else { continue }
            for output in self.openOutputs { self.read(output) }
            guard polls[0].revents == 0 else { break }
        }
        // Nobody is left to print after this.
        kill(-process, SIGKILL)
        self.drain()
        return true
    }

    /// Milliseconds of a clock that only goes forward.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Closes the other end of ``CommandPipes/end`` when the process has ended (`waitid`).
    private func watch(_ process: pid_t) {
        let write = self.pipes.endOfWatch
        let status = DetachedThread.start {
            var information = siginfo_t()
            while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
            close(write)
        }
        if status != 0 { close(write) }
    }

    private mutating func writeInput() {
        while self.inputIsOpen, !self.input.isEmpty {
            let count = self.input.withUnsafeBytes { Glibc.write(self.pipes.input, $0.baseAddress!, $0.count) }
            if count > 0 {
                self.input.removeFirst(count)
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                // A command need not read what it is given.
                self.input = []
            }
        }
        self.closeInput()
    }

    private mutating func closeInput() {
        if self.inputIsOpen { close(self.pipes.input) }
        self.inputIsOpen = false
    }

    /// Reads once, so that a command that prints without an end does not keep this from the clock.
    private mutating func read(_ descriptor: CInt) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var count = Glibc.read(descriptor, &buffer, buffer.count)
        while count < 0, errno == EINTR { count = Glibc.read(descriptor, &buffer, buffer.count) }
        if count > 0, descriptor == self.pipes.output {
            self.keepOutput(buffer[..<count])
        } else if count > 0 {
            self.diagnostics = Array((self.diagnostics + buffer[..<count]).suffix(CommandRun.diagnosticsBound))
        } else if count == 0 || errno != EAGAIN {
            self.openOutputs.remove(descriptor)
        } else {
            self.hasDrained = true
        }
    }

    /// Reads all that is left in the pipes, which nobody writes to any more.
    private mutating func drain() {
        for descriptor in self.openOutputs {
            self.hasDrained = false
            while !self.hasDrained, self.openOutputs.contains(descriptor) { self.read(descriptor) }
        }
    }

    private mutating func keepOutput(_ bytes: ArraySlice<UInt8>) {
        let room = CommandRun.outputBound - self.output.count
        self.output += bytes.prefix(room)
        if bytes.count > room { self.outputIsCut = true }
    }
}
