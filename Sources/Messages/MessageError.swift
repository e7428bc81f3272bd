public import JSON

/// What is wrong with a message whose JSON is sound.
///
/// A client's fault is answered with ``description``; a fault of one of our own processes condemns that process.
public enum MessageError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(String)
    case unknownField(String, nearest: String?)
    case wrongType(String, expected: String)
    case invalidValue(String, String)

    public var description: String {
        switch self {
        case .missing(let name): "field '\(name)' is missing"
        case .unknownField(let name, let nearest):
            "unknown field '\(name.truncated(toUTF8Length: 64))'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        case .wrongType(let name, let expected): "field '\(name)' must be \(expected)"
        case .invalidValue(let name, let reason): "field '\(name)': \(reason)"
        }
    }
}

extension JSONObject {
    /// The member `name`.
    public func require(_ name: String) throws(MessageError) -> JSONSlice {
        guard let slice = self[name] else { throw .missing(name) }
        return slice
    }

    /// The member `name`, or `nil` where it is absent or null.
    public func optional(_ name: String) -> JSONSlice? {
        guard let slice = self[name], !slice.isNull else { return nil }
        return slice
    }

    /// Refuses members with other names than `names`.
    public func expectOnly(_ names: [String]) throws(MessageError) {
        for member in self.members where !names.contains(member.name) {
            throw .unknownField(member.name, nearest: member.name.nearest(of: names))
        }
    }
}

extension JSONSlice {
    public func expectString(_ name: String) throws(MessageError) -> String {
        guard let string = self.string else { throw .wrongType(name, expected: "a string") }
        return string
    }

    public func expectBool(_ name: String) throws(MessageError) -> Bool {
        guard let bool = self.bool else { throw .wrongType(name, expected: "true or false") }
        return bool
    }

    public func expectInteger(_ name: String, in range: ClosedRange<Int>) throws(MessageError) -> Int {
        guard let integer = self.integer else { throw .wrongType(name, expected: "an integer") }
        guard let value = Int(exactly: integer), range.contains(value) else {
            throw .invalidValue(name, "\(integer) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    public func expectObject(_ name: String) throws(MessageError) -> JSONObject {
        guard let object = self.object else { throw .wrongType(name, expected: "an object") }
        return object
    }

    public func expectArray(_ name: String) throws(MessageError) -> [JSONValue] {
        guard case .array(let elements) = self.kind == .array ? self.value : .null else {
            throw .wrongType(name, expected: "an array")
        }
        return elements
    }

    public func expectStrings(_ name: String) throws(MessageError) -> [String] {
        try self.expectArray(name).map { value throws(MessageError) in
            guard let text = value.string else { throw .wrongType(name, expected: "an array of strings") }
            return text
        }
    }
}

extension String {
    /// The one of `names` that differs least from this string, if it differs little enough to be what was meant.
    public func nearest(of names: some Sequence<String>) -> String? {
        guard self.utf8.count <= 64 else { return nil }
        let bound = Swift.max(1, self.utf8.count / 3)
        return names.map { ($0, self.editDistance(to: $0)) }.filter { $0.1 <= bound }.min { $0.1 < $1.1 }?.0
    }

    /// The Levenshtein distance, in bytes.
    private func editDistance(to other: String) -> Int {
        let (a, b) = (Array(self.utf8), Array(other.utf8))
        var previous = Array(0...b.count)
        for (row, left) in a.enumerated() {
            var current = [row + 1]
            for (column, right) in b.enumerated() {
                let replaced = previous[column] + (left == right ? 0 : 1)
                current.append(Swift.min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[b.count]
    }
}
