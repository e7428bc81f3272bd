/// Checks a JSON text (RFC 8259) without recursion and without building anything from it.
///
/// Beyond the grammar it refuses invalid UTF-8, names that occur twice in one object (readers disagree on which one
/// counts, so what was checked would not be what runs), nesting beyond ``JSONBounds/depth`` and more values than
/// ``JSONBounds/nodes``. It costs one pass over the bytes, and a few bytes of memory for each name of the objects that
/// are open.
struct JSONScanner {
    /// What may come next.
    private enum Expectation {
        case value
        case elementOrEnd
        case memberOrEnd
        case member
        case separatorOrEnd
    }

    private struct Container {
        var isObject: Bool
        /// Where this object's names begin in `names`.
        var firstName: Int
    }

    let bytes: [UInt8]
    let end: Int
    let bounds: JSONBounds
    var position: Int
    private var nodes = 0
    private var open: [Container] = []
    private var names: [JSONToken] = []
    private var outermost: JSONToken?
    /// The value being read of a member of the outermost object: its name, kind and first byte.
    private var currentMember: (name: JSONToken, value: JSONToken)?

    /// The members of the outermost value, if that is an object, in the order of the text.
    private(set) var members: [JSONMember] = []

    init(_ bytes: [UInt8], in range: Range<Int>, bounds: JSONBounds) {
        self.bytes = bytes
        self.position = range.lowerBound
        self.end = range.upperBound
        self.bounds = bounds
        // A frame of ours has few members: one allocation each, none while it grows.
        self.open.reserveCapacity(4)
        self.names.reserveCapacity(8)
        self.members.reserveCapacity(8)
    }

    /// Checks the whole text and returns what its value is.
    mutating func scan() throws(JSONError) -> JSONToken {
        var expectation = Expectation.value
        while true {
            self.skipWhitespace()
            if self.open.isEmpty, let outermost = self.outermost {
                guard self.position == self.end else { throw JSONError(.trailingContent, at: self.position) }
                return outermost
            }
            guard self.position < self.end else { throw JSONError(.unexpectedEnd, at: self.position) }
            let byte = self.bytes[self.position]
            switch expectation {
            case .elementOrEnd where byte == UInt8(ascii: "]"), .memberOrEnd where byte == UInt8(ascii: "}"):
                expectation = try self.closeContainer()
            case .value, .elementOrEnd:
                expectation = try self.scanValue(byte)
            case .member, .memberOrEnd:
                try self.scanName(byte)
                expectation = .value
            case .separatorOrEnd:
                expectation = try self.scanSeparator(byte)
            }
        }
    }

    // MARK: Structure

    private mutating func scanValue(_ byte: UInt8) throws(JSONError) -> Expectation {
        self.nodes += 1
        guard self.nodes <= self.bounds.nodes else { throw JSONError(.tooManyNodes, at: self.position) }
        let start = self.position
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard self.open.count < self.bounds.depth else { throw JSONError(.tooDeep, at: start) }
            let isObject = byte == UInt8(ascii: "{")
            self.position += 1
            self.startValue(JSONToken(kind: isObject ? .object : .array, range: start..<start))
            self.open.append(Container(isObject: isObject, firstName: self.names.count))
            return isObject ? .memberOrEnd : .elementOrEnd
        case UInt8(ascii: "\""):
            self.startValue(try self.scanString())
        case UInt8(ascii: "t"):
            self.startValue(try self.scanLiteral("true", .bool))
        case UInt8(ascii: "f"):
            self.startValue(try self.scanLiteral("false", .bool))
        case UInt8(ascii: "n"):
            self.startValue(try self.scanLiteral("null", .null))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            self.startValue(try self.scanNumber())
        case UInt8(ascii: "]") where self.open.last?.isObject == false && start > 0:
            throw JSONError(.trailingComma, at: start)
        default:
            throw JSONError(.unexpectedCharacter, at: start)
        }
        self.finishValue()
        return .separatorOrEnd
    }

    private mutating func scanName(_ byte: UInt8) throws(JSONError) {
        guard byte == UInt8(ascii: "\"") else {
            throw JSONError(byte == UInt8(ascii: "}") ? .trailingComma : .unexpectedCharacter, at: self.position)
        }
        let name = try self.scanString()
        self.names.append(name)
        self.skipWhitespace()
        guard self.position < self.end else { throw JSONError(.unexpectedEnd, at: self.position) }
        guard self.bytes[self.position] == UInt8(ascii: ":") else {
            throw JSONError(.unexpectedCharacter, at: self.position)
        }
        self.position += 1
        if self.open.count == 1 { self.currentMember = (name, name) }
    }

    private mutating func scanSeparator(_ byte: UInt8) throws(JSONError) -> Expectation {
        let isObject = self.open[self.open.count - 1].isObject
        switch byte {
        case UInt8(ascii: ","):
            self.position += 1
            return isObject ? .member : .value
        case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
            return try self.closeContainer()
        default:
            throw JSONError(.unexpectedCharacter, at: self.position)
        }
    }

    private mutating func closeContainer() throws(JSONError) -> Expectation {
        self.position += 1
        let container = self.open.removeLast()
        if container.isObject {
            try self.checkNames(from: container.firstName)
            self.names.removeLast(self.names.count - container.firstName)
        }
        self.finishValue()
        return .separatorOrEnd
    }

    /// Notes a value that begins at the outermost level, or in a member of the outermost object.
    private mutating func startValue(_ token: JSONToken) {
        if self.open.isEmpty {
            self.outermost = token
        } else if self.open.count == 1, self.currentMember != nil {
            self.currentMember!.value = token
        }
    }

    /// Notes that a value ended at the present position.
    private mutating func finishValue() {
        if self.open.isEmpty {
            self.outermost!.range = self.outermost!.range.lowerBound..<self.position
        } else if self.open.count == 1, let (name, value) = self.currentMember {
            let token = JSONToken(
                kind: value.kind, range: value.range.lowerBound..<self.position, hasEscape: value.hasEscape)
            self.members.append(JSONMember(name: JSONText.string(name, in: self.bytes), value: token))
            self.currentMember = nil
        }
    }

    private func checkNames(from first: Int) throws(JSONError) {
        let count = self.names.count - first
        if count <= 8 {
            for later in first + 1..<max(self.names.count, first + 1) {
                for earlier in first..<later where self.isSameName(self.names[earlier], self.names[later]) {
                    throw JSONError(.duplicateName, at: self.names[later].range.lowerBound)
                }
            }
        } else {
            try self.checkManyNames(from: first)
        }
    }

    /// Finds a name that occurs twice among many: a hash table of indexes, so that no name is copied.
    private func checkManyNames(from first: Int) throws(JSONError) {
        let count = self.names.count - first
        var table = [Int32](repeating: -1, count: 2 << (Int.bitWidth - count.leadingZeroBitCount))
        for index in first..<self.names.count {
            var slot = self.hash(self.names[index]) & (table.count - 1)
            while table[slot] >= 0 {
                guard !self.isSameName(self.names[Int(table[slot])], self.names[index]) else {
                    throw JSONError(.duplicateName, at: self.names[index].range.lowerBound)
                }
                slot = (slot + 1) & (table.count - 1)
            }
            table[slot] = Int32(index)
        }
    }

    /// A hash of a name's bytes, seeded for each process, so that nobody can choose names that collide.
    private func hash(_ name: JSONToken) -> Int {
        var hasher = Hasher()
        if name.hasEscape {
            JSONText.unescaped(name, in: self.bytes).withUnsafeBytes { hasher.combine(bytes: $0) }
        } else {
            let content = name.range.lowerBound + 1..<name.range.upperBound - 1
            self.bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[content])) }
        }
        return hasher.finalize()
    }

    private func isSameName(_ a: JSONToken, _ b: JSONToken) -> Bool {
        if a.hasEscape || b.hasEscape {
            return JSONText.unescaped(a, in: self.bytes) == JSONText.unescaped(b, in: self.bytes)
        }
        guard a.range.count == b.range.count else { return false }
        for offset in 0..<a.range.count
        where self.bytes[a.range.lowerBound + offset] != self.bytes[b.range.lowerBound + offset] {
            return false
        }
        return true
    }

    private mutating func skipWhitespace() {
        while self.position < self.end {
            switch self.bytes[self.position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): self.position += 1
            default: return
            }
        }
    }
}
