import JSON

/// When each key was last handed to a worker, by its name, in milliseconds since 1970: the file `key-use.json` in the state
/// directory.
///
/// The supervisor writes it now and then, and bulkhead-config reads it at the next start. It is a convenience: what was not
/// written is forgotten.
public struct KeyUse: Sendable, Equatable {
    public static let fileName = "key-use.json"
    /// The longest file that is read, in bytes.
    public static let maximumLength = 1 << 20
    /// Names that are kept. At the bound the one that was not used for the longest time goes.
    public static let maximumCount = 4_096

    public private(set) var lastUse: [String: Int]

    public init(_ lastUse: [String: Int] = [:]) { self.lastUse = lastUse }

    public subscript(name: String) -> Int? { self.lastUse[name] }

    public mutating func used(_ name: String, atMilliseconds now: Int) {
        if self.lastUse.updateValue(now, forKey: name) == nil, self.lastUse.count > Self.maximumCount,
            let oldest = self.lastUse.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key
        {
            self.lastUse[oldest] = nil
        }
    }

    /// The object of the names, which the frame of bulkhead-config has as its `key_use`.
    var value: JSONValue {
        .object(self.lastUse.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) })
    }

    init(decoding value: JSONValue) throws(MessageError) {
        guard let members = value.members else { throw .wrongType("key_use", expected: "an object") }
        self.lastUse = [:]
        for member in members.prefix(Self.maximumCount) {
            guard let time = member.value.integer, time >= 0 else {
                throw .wrongType("key_use", expected: "an object of times")
            }
            self.lastUse[member.name] = time
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("keys", self.value)
        return object.finish()
    }

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        try self.init(decoding: try JSONObject.internalMessage(bytes).require("keys").value)
    }
}
