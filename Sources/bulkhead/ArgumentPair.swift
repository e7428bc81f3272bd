import ArgumentParser

/// An option that takes two arguments, as llm has them: `-o KEY VALUE`, `--at FILE TYPE`.
///
/// ArgumentParser knows options of one value. The two travel through it as one, with a zero byte between them, which no
/// argument can contain.
struct ArgumentPair {
    var first: String
    var second: String

    private static let separator: Character = "\0"
    /// The options that take two arguments, and the long names under which they travel.
    private static let names = [
        "-o": "--option", "--option": "--option", "--at": "--attachment-type",
        "--attachment-type": "--attachment-type",
    ]

    /// Joins the two arguments that follow each of the options, up to a `--`.
    static func join(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                return joined + [argument] + rest
            } else if let name = Self.names[argument], rest.count >= 2 {
                joined.append("\(name)=\(rest.removeFirst())\(Self.separator)\(rest.removeFirst())")
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    /// Takes a joined pair apart.
    ///
    /// - Parameter usage: How the option is written, for the error: `-o KEY VALUE`.
    init(argument: String, usage: String) throws {
        let parts = argument.split(separator: Self.separator, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("Two arguments are needed: \(usage)") }
        self.first = String(parts[0])
        self.second = String(parts[1])
    }
}
