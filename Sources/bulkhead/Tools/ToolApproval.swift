import BulkheadClient
import Glibc
import Synchronization

/// Asks on the terminal whether a tool may be called, one call after the other.
final class ToolApproval: Sendable {
    private let terminal: CInt
    /// The question that was asked last; the next one waits for its answer.
    private let last = Mutex<Task<Void, Never>?>(nil)

    /// Opens the terminal that controls this program, wherever its standard input comes from.
    init() throws(InputError) {
        self.terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard self.terminal >= 0 else {
            throw InputError("--ta asks on the terminal, and there is none; leave it out, or run this on a terminal")
        }
    }

    deinit { close(self.terminal) }

    /// Waits for the answer.
    ///
    /// - Throws: ``ToolCallCancelled`` where it is not yes, as llm has it.
    func ask(for call: ToolCall) async throws {
        let question = self.last.withLock { last in
            let question = Task { [previous = last] in
                await previous?.value
                return Task.isCancelled ? false : await self.isApproved(call)
            }
            last = Task { _ = await question.value }
            return question
        }
        let isApproved = await withTaskCancellationHandler {
            await question.value
        } onCancel: {
            question.cancel()
        }
        try Task.checkCancellation()
        guard isApproved else { throw ToolCallCancelled("User cancelled tool call") }
    }

    private func isApproved(_ call: ToolCall) async -> Bool {
        guard let interruption = Interruption() else { return false }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let status = DetachedThread.start {
                    continuation.resume(returning: self.readAnswer(call, until: interruption))
                }
                if status != 0 { continuation.resume(returning: false) }
            }
        } onCancel: {
            interruption.happen()
            // The question has left its line open.
            self.write("\n")
        }
    }

    /// Asks until the answer is one, and blocks this thread until then.
    private func readAnswer(_ call: ToolCall, until interruption: Interruption) -> Bool {
        self.write("\(ToolCallText.painted(call))\n")
        while true {
            self.write("Approve tool call? [y/N]: ")
            guard interruption.waits(for: self.terminal) else { return false }
            var bytes = [UInt8](repeating: 0, count: 256)
            var count = read(self.terminal, &bytes, bytes.count)
            while count < 0, errno == EINTR { count = read(self.terminal, &bytes, bytes.count) }
            guard count > 0 else { return false }
            let words = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace)
            switch words.first?.lowercased() {
            case "y", "yes": return true
            case nil, "n", "no": return false
            default: self.write("Error: invalid input\n")
            }
        }
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(self.terminal, $0.baseAddress! + start, $0.count - start) }
            guard count > 0 || errno == EINTR else { return }
            start += max(count, 0)
        }
    }
}

/// Ends a wait for the terminal, so that nobody reads what is meant for somebody else.
private final class Interruption: Sendable {
    private let ends: (read: CInt, write: CInt)

    init?() {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.ends = (ends[0], ends[1])
    }

    deinit {
        close(self.ends.read)
        close(self.ends.write)
    }

    func happen() { _ = Glibc.write(self.ends.write, [1], 1) }

    /// Returns whether there is something to read before this happens (`poll`).
    func waits(for descriptor: CInt) -> Bool {
        var polls = [descriptor, self.ends.read].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while poll(&polls, nfds_t(polls.count), -1) < 0 {
            guard errno == EINTR else { return false }
        }
        return polls[1].revents == 0
    }
}
