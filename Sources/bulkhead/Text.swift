import BulkheadClient
import Glibc

/// How things are written for people.
enum Text {
    /// JSON text as one line: as it is, unless somebody upstream has laid it out on several.
    static func line(json bytes: [UInt8]) -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        if bytes.contains(newline), let value = try? JSONValue(parsing: bytes) { return value.serialized() + [newline] }
        return bytes + [newline]
    }

    /// `2026-03-01 12:00:00`, in the time zone of this process (`localtime_r`).
    ///
    /// - Parameter milliseconds: Since 1970, UTC.
    static func time(milliseconds: Int) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "\(milliseconds / 1000)" }
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// `250 ms`, `1.5 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`.
    static func duration(milliseconds: Int) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<1: return "\(milliseconds) ms"
        case ..<60: return milliseconds % 1000 < 100 ? "\(seconds) s" : "\(seconds).\(milliseconds % 1000 / 100) s"
        case ..<3600: return "\(seconds / 60) m \(seconds % 60) s"
        case ..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) m"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }

    /// `512 B`, `64 KiB`, `1.5 MiB`.
    static func size(bytes: Int) -> String {
        switch bytes {
        case ..<1024: return "\(bytes) B"
        case ..<(1 << 20): return "\(bytes >> 10) KiB"
        default:
            let tenths = (bytes * 10) >> 20
            return tenths % 10 == 0 ? "\(tenths / 10) MiB" : "\(tenths / 10).\(tenths % 10) MiB"
        }
    }

    /// Rows as lines, each column as wide as its widest cell.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                let isLast = row[(column + 1)...].allSatisfy(\.isEmpty)
                if isLast { break }
                line += String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return line + "\n"
        }.joined()
    }
}
