import Messages
import Yams

/// The names that a mapping may hold.
struct FieldNames {
    var supported: [String]
    /// What the design has and this version lacks.
    var later: [String] = []
}

/// A mapping whose fields were checked against the names it may hold.
struct YAMLMapping {
    struct Entry {
        var name: String
        var position: Position
        var value: YAMLValue
    }

    private(set) var entries: [Entry] = []

    /// The field `name`, or `nil` where it is absent or has no value.
    subscript(name: String) -> YAMLValue? {
        self.entries.first { $0.name == name && $0.value.kind != .null }?.value
    }

    /// A mapping without fields.
    init() {}

    /// The same fields, whose problems another collector gathers.
    func reporting(to collector: ProblemCollector) -> YAMLMapping {
        var copy = self
        for index in copy.entries.indices {
            let value = copy.entries[index].value
            copy.entries[index].value = YAMLValue(node: value.node, name: value.name, collector: collector)
        }
        return copy
    }

    /// - Parameter names: The fields it may hold; `nil` where the names are the user's to choose.
    fileprivate init(_ mapping: Node.Mapping, in parent: YAMLValue, names: FieldNames?) {
        for (key, node) in mapping {
            let key = YAMLValue(node: key, name: parent.name, collector: parent.collector)
            guard let name = Self.name(of: key) else { continue }
            if let names, !Self.check(name, at: key, names: names) { continue }
            let path = parent.name.isEmpty ? name : "\(parent.name).\(Self.isWord(name) ? name : "?")"
            let value = YAMLValue(node: node, name: path, collector: parent.collector)
            self.entries.append(Entry(name: name, position: key.position, value: value))
        }
    }

    /// Only words stand in the paths of messages: anything else could be a secret, or move the cursor.
    private static func isWord(_ name: String) -> Bool {
        !SafeQuotation.looksLikeSecret(name) && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    private static func name(of key: YAMLValue) -> String? {
        switch key.kind {
        case .string(let name): return name
        case .null, .bool, .integer, .zeroPaddedInteger, .number, .list, .mapping, .tagged:
            key.collector.refuse("expected the name of a field, found \(key.kind.description)", at: key.position)
            return nil
        }
    }

    private static func check(_ name: String, at key: YAMLValue, names: FieldNames) -> Bool {
        if names.supported.contains(name) { return true }
        if name == "<<" {
            key.collector.refuse(
                "merging with '<<' is not supported; use an alias for a whole value, or repeat the fields",
                at: key.position)
        } else if name == "$env" || name == "$file" {
            key.collector.refuse(
                "'\(name)' is Datasette's and not known here: write the value itself", at: key.position)
        } else if names.later.contains(name) {
            key.collector.refuse("this version does not support the field '\(name)' yet; remove it", at: key.position)
        } else {
            key.collector.refuse(Self.unknownField(name, names), at: key.position)
        }
        return false
    }

    private static func unknownField(_ name: String, _ names: FieldNames) -> String {
        let nearest = name.nearest(of: names.supported).map { "did you mean '\($0)'?" }
        let advice = nearest ?? "the fields here are \(names.supported.joined(separator: ", "))"
        return "unknown field \(SafeQuotation.quote(name)); \(advice)"
    }
}

extension YAMLValue {
    /// The fields of a mapping, every other name refused.
    func mapping(_ names: FieldNames, expected: String = "a mapping") -> YAMLMapping? {
        self.mapping(names: names, expected: expected)
    }

    /// The entries of a mapping whose names are the user's to choose.
    func namedEntries(expected: String) -> [YAMLMapping.Entry]? {
        self.mapping(names: nil, expected: expected)?.entries
    }

    private func mapping(names: FieldNames?, expected: String) -> YAMLMapping? {
        if case .null = self.kind { return YAMLMapping() }
        guard case .mapping = self.kind, case .mapping(let mapping) = self.node else {
            if self.name.isEmpty {
                let message = "expected fields such as 'providers:', found \(self.kind.description)"
                self.collector.refuse(message, at: self.position)
            } else {
                self.refuse(expected: expected)
            }
            return nil
        }
        return YAMLMapping(mapping, in: self, names: names)
    }
}
