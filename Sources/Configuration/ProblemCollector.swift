import Messages

/// A place in a file, both counted from 1; `whole` where no line is meant.
struct Position: Equatable, Comparable {
    var line: Int
    /// Counted in Unicode scalars.
    var column: Int

    static let whole = Position(line: 0, column: 0)

    static func < (a: Position, b: Position) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// Gathers what is wrong with a configuration, so that one reading reports all of it.
///
/// One collector is shared by all parts of one reading.
final class ProblemCollector {
    /// How many problems are reported; a file with more is not the file that was meant.
    static let maximumCount = 100

    let file: String
    private var found: [(position: Position, problem: ConfigurationProblem)] = []
    private(set) var problemCount = 0
    private(set) var warnings: [ConfigurationProblem] = []

    init(file: String) {
        self.file = file
    }

    /// The problems in the order of the file.
    var problems: [ConfigurationProblem] {
        var problems = self.found.enumerated()
            .sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map(\.element.problem)
        if self.problemCount > problems.count {
            let more = self.problemCount - problems.count
            problems.append(self.entry("\(more) more problems are not shown", .whole, file: nil))
        }
        return problems
    }

    /// - Parameters:
    ///   - message: Made only while problems are still gathered.
    ///   - file: The origin of what is wrong, where that is not the file.
    func refuse(_ message: @autoclosure () -> String, at position: Position = .whole, file: String? = nil) {
        self.problemCount += 1
        guard self.found.count < Self.maximumCount else { return }
        self.found.append((position, self.entry(message(), position, file: file)))
    }

    /// - Parameter message: Made only while warnings are still gathered.
    func warn(_ message: @autoclosure () -> String, at position: Position = .whole) {
        guard self.warnings.count < Self.maximumCount else { return }
        self.warnings.append(self.entry(message(), position, file: nil))
    }

    private func entry(_ message: String, _ position: Position, file: String?) -> ConfigurationProblem {
        ConfigurationProblem(file: file ?? self.file, line: position.line, column: position.column, message: message)
    }
}
