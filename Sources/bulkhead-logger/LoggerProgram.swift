import BlockingChannel
import Glibc
import LogStore
import Messages

/// The logger, or the reader, from its first line to its exit code.
enum LoggerProgram {
    /// Where the supervisor puts the channel.
    private static let channelDescriptor: CInt = 3
    /// What SQLite may take in a reader, in bytes: its cache, and the larger of a long value and the words of a search.
    private static let readerMemory = 64 << 20
    /// For a predecessor to commit what it was sent.
    private static let lockTimeout = Duration.seconds(10)

    /// - Parameter arguments: The command line, with the program's name first.
    static func run(arguments: [String]) -> CInt {
        do throws(ProgramError) {
            try Self.run(try Self.parse(arguments))
            return ExitCode.done.rawValue
        } catch {
            Self.report(error.description)
            return error.exitCode.rawValue
        }
    }

    private static func parse(_ arguments: [String]) throws(ProgramError) -> Arguments {
        do {
            return try Arguments(arguments.dropFirst())
        } catch {
            throw ProgramError(.usage, "\(error.description)\n\(Arguments.usage)")
        }
    }

    private static func run(_ arguments: Arguments) throws(ProgramError) {
        if arguments.printsDatasetteSecrets { return try Self.printDatasetteSecrets(of: arguments.database) }
        // Before anything is opened, since that could take the number of a channel that is not there.
        var status = stat()
        guard fstat(Self.channelDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            throw ProgramError(.usage, "descriptor 3 is no channel: bulkheadd starts this program, nobody else")
        }
        if arguments.reads { return try Self.read(arguments.database) }
        let channel = BlockingChannel(
            adopting: Self.channelDescriptor, maximumPayloadLength: ProtocolBounds.logFrame)
        let lock = try Self.lock(arguments.database)
        let store = try Self.open(arguments)
        var session = LoggerSession(channel: channel, store: store)
        try session.run()
        store.close()
        _ = consume lock
    }

    /// The reader's part. It takes no lock: its file is the logger's, who holds that.
    private static func read(_ database: String) throws(ProgramError) {
        let channel = BlockingChannel(
            adopting: Self.channelDescriptor, maximumPayloadLength: ProtocolBounds.readerFrame)
        LogReader.limitMemory(to: Self.readerMemory)
        let reader: LogReader
        do {
            reader = try LogReader(path: database) { Self.report($0.description) }
        } catch {
            throw ProgramError(error)
        }
        var session = ReaderSession(channel: channel, reader: reader)
        try session.run()
        reader.close()
    }

    /// Prints each secret as a line of JSON, its value as the token that it is stored as.
    private static func printDatasetteSecrets(of path: String) throws(ProgramError) {
        do {
            for line in try DatasetteSecrets.read(path) {
                let bytes = line + [UInt8(ascii: "\n")]
                var start = 0
                while start < bytes.count {
                    let count = bytes.withUnsafeBytes {
                        write(STDOUT_FILENO, $0.baseAddress! + start, $0.count - start)
                    }
                    guard count > 0 || errno == EINTR else {
                        throw ProgramError(.inputOutput, "standard output: \(String(cString: strerror(errno)))")
                    }
                    start += max(count, 0)
                }
            }
        } catch let error as ProgramError {
            throw error
        } catch {
            throw ProgramError(.configuration, "\(error)")
        }
    }

    private static func lock(_ database: String) throws(ProgramError) -> DatabaseLock {
        let lock: DatabaseLock?
        do {
            try DatabasePlace.makeDirectory(of: database)
            lock = try DatabaseLock.acquire(database + ".lock", timeout: Self.lockTimeout)
        } catch {
            throw ProgramError(.configuration, error.description)
        }
        if let lock { return lock }
        throw ProgramError(
            .busy, "another daemon uses \(database); stop it, or give this one a state directory of its own")
    }

    private static func open(_ arguments: Arguments) throws(ProgramError) -> LogStore {
        do {
            return try LogStore(path: arguments.database, durability: arguments.durability)
        } catch {
            throw ProgramError(error)
        }
    }

    /// Writes one message for the operator to standard error, in one call, so that lines of processes do not mix.
    static func report(_ message: String) {
        let line = Array("bulkhead-logger: \(message)\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Why the program ends early.
struct ProgramError: Error {
    let exitCode: ExitCode
    let description: String

    init(_ exitCode: ExitCode, _ description: String) {
        self.exitCode = exitCode
        self.description = description
    }

    init(_ error: LogStoreError) {
        switch error.remedy {
        case .intervention: self.init(.configuration, error.description)
        case .patience: self.init(.busy, error.description)
        case .storage: self.init(.inputOutput, error.description)
        }
    }
}
