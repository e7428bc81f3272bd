import Foundation

/// Runs the command line client to its end.
enum CommandLine {
    static func run(_ arguments: String..., socket: String? = nil) throws -> (
        status: Int32, output: String, errors: String
    ) {
        let process = Foundation.Process()
        process.executableURL = Checkout.program("bulkhead")
        process.arguments = arguments
        process.environment = socket.map { ["BULKHEAD_SOCKET": $0] } ?? [:]
        let output = Foundation.Pipe(), errors = Foundation.Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, complaints)
    }
}
