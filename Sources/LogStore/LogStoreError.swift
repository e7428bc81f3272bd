internal import GRDB

/// Why the file could not be opened or written, in a sentence for the operator that names the file.
public struct LogStoreError: Error, Equatable, CustomStringConvertible {
    /// What can be done about it.
    public enum Remedy: Sendable {
        /// Somebody must change the file, its place or the configuration.
        case intervention
        /// The other program that writes into the file must finish.
        case patience
        /// The disk must take writes again.
        case storage
    }

    public let remedy: Remedy
    /// SQLite's extended result code (sqlite.org/rescode.html); `nil` where SQLite had nothing to say.
    public let code: Int32?
    public let description: String

    init(opening path: String, _ error: any Error) {
        self.init(path, doing: "cannot be opened as the log", error)
    }

    init(writing path: String, _ error: any Error) {
        self.init(path, doing: "cannot be written", error)
    }

    init(reading path: String, _ error: any Error) {
        self.init(path, doing: "cannot be read", error)
    }

    private init(_ path: String, doing failure: String, _ error: any Error) {
        guard let error = error as? DatabaseError else {
            self.remedy = .intervention
            self.code = nil
            self.description =
                "\(path) \(failure): \((error as? LogSchema.Refusal)?.advice(path) ?? String(describing: error))"
            return
        }
        let (remedy, advice) = Self.judge(error.resultCode)
        self.remedy = remedy
        self.code = error.extendedResultCode.rawValue
        // Not the error's own description, which holds the statement.
        let reason = error.message ?? "\(error.extendedResultCode)"
        self.description =
            "\(path) \(failure): \(reason) (SQLite error \(error.extendedResultCode.rawValue)); \(advice)"
    }

    private static func judge(_ code: ResultCode) -> (Remedy, advice: String) {
        switch code {
        case .SQLITE_FULL: (.storage, "make room on its disk")
        case .SQLITE_IOERR, .SQLITE_NOMEM: (.storage, "check its disk")
        case .SQLITE_BUSY, .SQLITE_LOCKED: (.patience, "another program holds it; end that program")
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: (.intervention, "move it away, or restore a copy")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            (.intervention, "check that it and its directory exist and may be written")
        default: (.intervention, "move it away, or name another file")
        }
    }
}

extension LogSchema.Refusal {
    fileprivate func advice(_ path: String) -> String {
        switch self {
        case .newerVersion: "it was written by a newer version of Bulkhead; install that version, or move the file away"
        case .olderLLM:
            "it holds the record of an older llm; bring it up to date with 'llm logs -d \(path)' of llm 0.36 or newer, "
                + "or move it away"
        case .foreignTable(let name):
            "its table '\(name)' is not the one that llm makes; move the file away, or name another one"
        case .unprepared: "it lacks tables of the log; start bulkheadd with it, whose logger makes them"
        }
    }
}
