import Foundation
import JSON
import Messages
import Testing

/// The tables and lists of proto/PROTOCOL.md.
struct ProtocolTablesTests {
    private static func rows(of table: String) throws -> [[String]] {
        let lines = try ProtocolFolder.text("PROTOCOL.md").split(separator: "\n", omittingEmptySubsequences: false)
        return PageSection.rows(in: lines).filter { $0.table == table }.map(\.cells)
    }

    @Test func theTableOfErrorsIsTheListOfCodes() throws {
        let rows = try Self.rows(of: "Code")
        let codes = try rows.map { try #require($0[0].codeWords.first) }
        #expect(codes == ErrorCode.allCases.map(\.rawValue))
        for row in rows {
            let code = try #require(row[0].codeWords.first.flatMap(ErrorCode.init))
            #expect(row[2] == (code.isRetryable ? "yes" : "no"), "\(code.rawValue) retryable")
            #expect(row[3] == Self.closes(code), "\(code.rawValue) closes")
            #expect(row[4] == (code.mayComeFromWorker ? "both" : "supervisor"), "\(code.rawValue) said by")
        }
    }

    private static func closes(_ code: ErrorCode) -> String {
        switch code {
        case .invalidFrame, .invalidJSON, .duplicateID, .tooManyConnections, .connectionTimeout: "yes"
        case .invalidRequest: "without an id"
        default: "no"
        }
    }

    @Test func theSchemasListTheCodes() throws {
        let everyone = ErrorCode.allCases.map(\.rawValue)
        let workers = ErrorCode.allCases.filter(\.mayComeFromWorker).map(\.rawValue)
        for (name, expected) in [
            ("client", everyone), ("logger", everyone), ("reader", everyone), ("hooks", everyone), ("worker", workers),
        ] {
            let schema = try ProtocolFolder.json("schemas/\(name).schema.json")
            let codes = schema["$defs"]?["Failure"]?["properties"]?["code"]?["enum"]?.array?.compactMap(\.string)
            #expect(codes == expected, "\(name)")
        }
    }

    @Test func theTableOfBoundsHasTheNumbersOfTheSources() throws {
        let expected: [String: Int] = [
            "clientFrame": ProtocolBounds.clientFrame,
            "answerFrame": ProtocolBounds.answerFrame,
            "workerRequestFrame": ProtocolBounds.workerRequestFrame,
            "internalHeadroom": ProtocolBounds.internalHeadroom,
            "eventFrame": ProtocolBounds.eventFrame,
            "lastFrame": ProtocolBounds.lastFrame,
            "controlFrame": ProtocolBounds.controlFrame,
            "logFrame": ProtocolBounds.logFrame,
            "embedInputs": ProtocolBounds.embedInputs,
            "history": ProtocolBounds.history,
            "readerFrame": ProtocolBounds.readerFrame,
            "pageRows": ProtocolBounds.pageRows,
            "searchLength": ProtocolBounds.searchLength,
            "configurationFrame": ProtocolBounds.configurationFrame,
            "secretsFrame": ProtocolBounds.secretsFrame,
            "hookFrame": ProtocolBounds.hookFrame,
            "hookPrompt": ProtocolBounds.hookPrompt,
            "hookAnnotation": ProtocolBounds.hookAnnotation,
            "annotations": ProtocolBounds.annotations,
            "requestIDLength": ProtocolBounds.requestIDLength,
            "nameLength": ProtocolBounds.nameLength,
            "groups": ProtocolBounds.groups,
            "usageDetails": ProtocolBounds.usageDetails,
            "timeoutMilliseconds": ProtocolBounds.timeoutMilliseconds,
            "maximumLines": ReloadReport.maximumLines,
            "maximumLineLength": ReloadReport.maximumLineLength,
            "depth": JSONBounds().depth,
            "nodes": JSONBounds().nodes,
            "maximumMessageLength": Failure.maximumMessageLength,
            "maximumRetryAfterMilliseconds": Failure.maximumRetryAfterMilliseconds,
            "maximumSlots": ProviderSettings.maximumSlots,
            "maximumModels": ModelListing.maximumModels,
        ]
        var documented: [String: Int] = [:]
        for row in try Self.rows(of: "What") {
            guard let name = row[1].codeWords.first else { continue }
            documented[name] = try Self.number(row[2])
        }
        let supervisor = try Self.supervisorBounds()
        #expect(documented == expected.merging(supervisor) { first, _ in first })
        for constant in try Self.constants(of: "Messages/ProtocolBounds.swift", in: "ProtocolBounds") {
            #expect(documented[constant] != nil, "ProtocolBounds.\(constant) is not in the table of bounds")
        }
    }

    /// The bounds that SupervisorBounds.swift declares: counts, bytes (`128 << 10`), seconds.
    private static func supervisorBounds() throws -> [String: Int] {
        let file = ProtocolFolder.sources.appending(path: "SupervisorCore/SupervisorBounds.swift")
        var bounds: [String: Int] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            guard let declaration = line.split(separator: "public var ").last, declaration.count < line.count else {
                continue
            }
            let sides = declaration.components(separatedBy: " = ")
            guard sides.count == 2, !["backoff", "attempts"].contains(sides[0]) else { continue }
            let text = sides[1].replacingOccurrences(of: "Duration.seconds(", with: "").filter {
                $0 != ")" && $0 != "_"
            }
            let numbers = text.components(separatedBy: " << ").compactMap { Int($0) }
            bounds[sides[0]] = try #require(numbers.count == 2 ? numbers[0] << numbers[1] : numbers.first, "\(line)")
        }
        #expect(bounds.count > 15)
        return bounds
    }

    /// The names of the static constants that an enumeration of the sources declares.
    private static func constants(of file: String, in type: String) throws -> [String] {
        let text = try String(contentsOf: ProtocolFolder.sources.appending(path: file), encoding: .utf8)
        let body = try #require(
            text.components(separatedBy: "enum \(type) {").dropFirst().first?.components(separatedBy: "\n}").first)
        let names = body.components(separatedBy: "public static let ").dropFirst().compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        #expect(names.count > 10)
        return names
    }

    /// `16 MiB` in bytes, `86,400,000 ms` as it is.
    private static func number(_ text: String) throws -> Int {
        let parts = text.replacingOccurrences(of: ",", with: "").split(separator: " ")
        try #require(parts.count == 2, "\(text)")
        let number = try #require(Int(parts[0]), "\(text)")
        switch parts[1] {
        case "KiB": return number << 10
        case "MiB": return number << 20
        default: return number
        }
    }

    @Test func theReservedNamesAreTheOnesThatAreWrittenDown() throws {
        let text = try ProtocolFolder.text("PROTOCOL.md")
        let section = try #require(
            text.components(separatedBy: "## Ops that are named and not there yet").last?.components(
                separatedBy: "\n## "
            ).first)
        let words = section.codeWords.filter { $0 != ErrorCode.notSupported.rawValue }
        #expect(words == ClientRequest.reservedOperations)
    }

    @Test func theVersionIsTheOneThatIsWrittenDown() throws {
        #expect(
            try ProtocolFolder.text("PROTOCOL.md").contains(
                "The protocol has one number, which is \(ProtocolVersion.current)."))
    }

    @Test func theDumpsOfFramesAreTheFramesOfTheExamples() throws {
        let lines = try ProtocolFolder.text("PROTOCOL.md").split(separator: "\n")
        var bytes: [UInt8] = []
        for line in lines where line.hasPrefix("    00") {
            let columns = line.dropFirst("    0000  ".count).prefix(47)
            bytes += columns.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        }
        let ping = #"{"id":1,"op":"ping"}"#
        let done = #"{"id":1,"event":"done"}"#
        #expect(bytes == [0, 0, 0, 20] + Array(ping.utf8) + [0, 0, 0, 23] + Array(done.utf8))
    }
}
