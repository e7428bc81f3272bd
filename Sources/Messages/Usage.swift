public import JSON

/// The tokens that a request used, as its provider counted them.
public struct Usage: Equatable, Sendable {
    /// Tokens of the prompt; `nil` where the provider did not say.
    public var input: Int?
    /// Tokens of the answer; `nil` where the provider did not say.
    public var output: Int?
    /// What else the provider counted (cached tokens, reasoning tokens, …), an object as JSON text without zeros.
    public var details: [UInt8]?

    /// The largest count of tokens: integers up to here are exact in every reader of JSON.
    static let maximumCount = 1 << 53

    /// A count below zero or beyond 2^53, and details longer than ``ProtocolBounds/usageDetails``, are left out.
    public init(input: Int?, output: Int?, details: [UInt8]? = nil) {
        self.input = input.flatMap { (0...Self.maximumCount).contains($0) ? $0 : nil }
        self.output = output.flatMap { (0...Self.maximumCount).contains($0) ? $0 : nil }
        self.details = details.flatMap { $0.count <= ProtocolBounds.usageDetails ? $0 : nil }
    }

    /// `{"input":12,"output":7,"details":{…}}`
    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("input", ifPresent: self.input)
        object.add("output", ifPresent: self.output)
        if let details = self.details { object.add("details", raw: details) }
        return object.finish()
    }

    public init(decoding slice: JSONSlice) throws(MessageError) {
        let object = try slice.expectObject("usage")
        self.input = try object.optional("input")?.expectInteger("input", in: 0...Self.maximumCount)
        self.output = try object.optional("output")?.expectInteger("output", in: 0...Self.maximumCount)
        if let details = object.optional("details") {
            guard details.kind == .object else { throw .wrongType("details", expected: "an object") }
            guard details.raw.count <= ProtocolBounds.usageDetails else { throw .invalidValue("details", "too long") }
            self.details = Array(details.raw)
        }
    }
}

extension Usage {
    /// What two parts of a request used together.
    ///
    /// Of the details only whole numbers can be added up; what else one of the two says is left out.
    public func adding(_ other: Usage) -> Usage {
        Usage(
            input: Self.sum(self.input, other.input), output: Self.sum(self.output, other.output),
            details: Self.sum(self.details, other.details))
    }

    private static func sum(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return left ?? right }
        return left + right
    }

    private static func sum(_ left: [UInt8]?, _ right: [UInt8]?) -> [UInt8]? {
        let left = left.flatMap { try? JSONValue(parsing: $0) }
        let right = right.flatMap { try? JSONValue(parsing: $0) }
        return Self.sum(left ?? .object([]), right ?? .object([]))?.serialized()
    }

    /// The sum of two numbers, or of the members of two objects; `nil` where nothing is left.
    private static func sum(_ left: JSONValue, _ right: JSONValue) -> JSONValue? {
        if let left = left.integer, let right = right.integer {
            let (sum, isTooLarge) = left.addingReportingOverflow(right)
            return isTooLarge ? nil : .integer(sum)
        }
        guard let ours = left.members, let theirs = right.members else { return nil }
        var members: [JSONValue.Member] = []
        for member in ours + theirs.filter({ left[$0.name] == nil }) {
            let nothing = member.value.members == nil ? JSONValue.integer(0) : .object([])
            guard let sum = Self.sum(left[member.name] ?? nothing, right[member.name] ?? nothing) else { continue }
            members.append(JSONValue.Member(member.name, sum))
        }
        return members.isEmpty ? nil : .object(members)
    }
}
