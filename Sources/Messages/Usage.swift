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
