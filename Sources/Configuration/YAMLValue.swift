import Messages
import Yams

/// A value of the document, the name of the field it stands in, and where to report what is wrong with it.
///
/// Each accessor returns the value as the type that is wanted, or records what was expected and what was found, and
/// returns `nil`. Messages describe what was found and do not repeat it: it may be a secret in the wrong place.
struct YAMLValue {
    var node: Node
    /// The fields that lead here, with dots between them, or `item 2 of providers.local.models`.
    let name: String
    let collector: ProblemCollector

    var position: Position { Position(self.node.mark) }

    /// What a value can be, by YAML's core schema.
    enum Kind: Equatable {
        case null
        case bool(Bool)
        /// `nil` where the value does not fit 64 bits.
        case integer(Int?)
        /// Digits with a zero before them, which versions of YAML read differently.
        case zeroPaddedInteger
        case number
        case string(String)
        case list
        case mapping
        /// With a tag other than `!!str`.
        case tagged
    }

    var kind: Kind {
        switch self.node {
        case .mapping(let mapping): return Self.isPlain(mapping.tag, "tag:yaml.org,2002:map") ? .mapping : .tagged
        case .sequence(let sequence): return Self.isPlain(sequence.tag, "tag:yaml.org,2002:seq") ? .list : .tagged
        case .scalar(let scalar):
            switch scalar.tag.description {
            case "tag:yaml.org,2002:str", "!": return .string(scalar.string)
            case "": return scalar.style == .plain ? PlainScalar.kind(of: scalar.string) : .string(scalar.string)
            default: return .tagged
            }
        case .alias: return .tagged
        }
    }

    private static func isPlain(_ tag: Tag, _ name: String) -> Bool {
        tag.description.isEmpty || tag.description == name
    }

    var isList: Bool { self.kind == .list }

    /// Whether it is written as `[]`.
    var isEmptyList: Bool {
        if case .sequence(let sequence) = self.node { sequence.isEmpty } else { false }
    }

    /// - Parameter message: Made only while problems are still gathered.
    func refuse(_ message: @autoclosure () -> String) {
        self.collector.refuse("field '\(self.name)': \(message())", at: self.position)
    }

    /// - Parameter message: Made only while warnings are still gathered.
    func warn(_ message: @autoclosure () -> String) {
        self.collector.warn("field '\(self.name)': \(message())", at: self.position)
    }

    func refuse(expected: String) {
        self.refuse("expected \(expected), found \(self.kind.description)")
    }

    func string(_ expected: String = "a string") -> String? {
        if case .string(let text) = self.kind { return text }
        let hint =
            switch self.kind {
            case .bool, .integer, .zeroPaddedInteger, .number: "; quote it to make it a string"
            case .null, .string, .list, .mapping, .tagged: ""
            }
        self.refuse("expected \(expected), found \(self.kind.description)\(hint)")
        return nil
    }

    func bool() -> Bool? {
        if case .bool(let value) = self.kind { return value }
        self.refuse(expected: "true or false")
        return nil
    }

    func integer(in range: ClosedRange<Int>) -> Int? {
        guard case .integer(let value) = self.kind else {
            self.refuse(expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        if let value, range.contains(value) { return value }
        self.refuse("must be from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    func number() -> Double? {
        switch self.kind {
        case .integer(let value?): return Double(value)
        case .number:
            if case .scalar(let scalar) = self.node, let value = Double(scalar.string), value.isFinite { return value }
        case .null, .bool, .integer, .zeroPaddedInteger, .string, .list, .mapping, .tagged: break
        }
        if case .number = self.kind {
            self.refuse("expected a finite number in decimal digits")
        } else {
            self.refuse(expected: "a number")
        }
        return nil
    }

    /// A duration, in milliseconds.
    func duration(in range: ClosedRange<Int>) -> Int? {
        if case .integer = self.kind {
            self.refuse("a duration needs a unit: write \(DurationText.example)")
            return nil
        }
        guard case .string(let text) = self.kind else {
            self.refuse(expected: "a duration (\(DurationText.example))")
            return nil
        }
        guard let value = DurationText.milliseconds(text) else {
            self.refuse("\(SafeQuotation.quote(text)) is not a duration: write \(DurationText.example)")
            return nil
        }
        guard range.contains(value) else {
            let (least, most) = (
                DurationText.text(milliseconds: range.lowerBound), DurationText.text(milliseconds: range.upperBound)
            )
            self.refuse("must be from \(least) to \(most)")
            return nil
        }
        return value
    }

    /// One of `choices`.
    func choice(of choices: [String]) -> String? {
        guard let text = self.string("one of \(choices.joined(separator: ", "))") else { return nil }
        if choices.contains(text) { return text }
        let nearest = text.nearest(of: choices).map { "; did you mean '\($0)'?" } ?? ""
        self.refuse("\(SafeQuotation.quote(text)) is not one of \(choices.joined(separator: ", "))\(nearest)")
        return nil
    }

    /// The elements of a list of at most `maximumCount`.
    func list(of what: String, maximumCount: Int) -> [YAMLValue]? {
        guard case .list = self.kind, case .sequence(let sequence) = self.node else {
            self.refuse(expected: "a list of \(what)")
            return nil
        }
        guard sequence.count <= maximumCount else {
            self.refuse("a list of at most \(maximumCount) \(what), but it has \(sequence.count)")
            return nil
        }
        return sequence.enumerated().map { index, element in
            YAMLValue(node: element, name: "\(self.name)[\(index)]", collector: self.collector)
        }
    }
}

extension YAMLValue.Kind {
    /// What was found, for people, without the value.
    var description: String {
        switch self {
        case .null: "nothing"
        case .bool: "true or false"
        case .integer: "an integer"
        case .zeroPaddedInteger: "digits that begin with 0"
        case .number: "a number"
        case .string: "a string"
        case .list: "a list"
        case .mapping: "a mapping"
        case .tagged: "a value with a tag, which is not supported"
        }
    }
}

extension Position {
    init(_ mark: Mark?) {
        self = mark.map { Position(line: $0.line, column: $0.column) } ?? .whole
    }
}
