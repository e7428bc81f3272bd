import ArgumentParser
import BulkheadClient
import Glibc

/// The value of a secret: typed without an echo, or piped.
enum SecretInput {
    /// Asks for a value, or reads standard input to its end where that is no terminal. A line break at its end is left out.
    static func read(_ question: String) throws -> String {
        let bytes =
            StandardInput.isTerminal ? try Self.ask(question) : StandardInput.read(bound: 2 * SecretBounds.valueLength)
        guard var value = String(validating: bytes, as: UTF8.self) else { throw Self.wrong("the value is not UTF-8") }
        if value.utf8.last == UInt8(ascii: "\n") { value.unicodeScalars.removeLast() }
        if value.utf8.last == UInt8(ascii: "\r") { value.unicodeScalars.removeLast() }
        if let problem = SecretsAction.Entry(name: "NAME", value: value).problem {
            throw Self.wrong("the \(problem.field) \(problem.reason)")
        }
        return value
    }

    private static func wrong(_ reason: String) -> ExitCode {
        try? StandardStream.error.writeSafely("bulkhead: \(reason); nothing was set\n")
        return ExitStatus.wrongInput
    }

    /// Reads a line from the terminal, which shows nothing of it (`tcsetattr`).
    private static func ask(_ question: String) throws -> [UInt8] {
        try StandardStream.error.write(question)
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw Self.wrong("the terminal cannot be asked not to show the value")
        }
        let original = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        settings.c_lflag |= tcflag_t(ECHONL)
        // A Ctrl-C must not leave a terminal that shows nothing: it is a character here, and ends the question.
        settings.c_lflag &= ~tcflag_t(ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) == 0 else {
            throw Self.wrong("the terminal cannot be asked not to show the value")
        }
        defer {
            var original = original
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &original)
        }
        let interrupt: UInt8 = 0x03
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count <= 2 * SecretBounds.valueLength {
            let count = Glibc.read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != UInt8(ascii: "\n") else { break }
            guard byte != interrupt else { throw ExitCode(128 + SIGINT) }
            line.append(byte)
        }
        return line
    }
}
