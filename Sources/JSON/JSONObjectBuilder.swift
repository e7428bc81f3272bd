/// Writes one JSON object, member by member, straight into bytes.
public struct JSONObjectBuilder {
    private var content: [UInt8] = [UInt8(ascii: "{")]

    public init(minimumCapacity: Int = 128) { self.content.reserveCapacity(minimumCapacity) }

    /// The object written so far, closed.
    public var bytes: [UInt8] { self.content + [UInt8(ascii: "}")] }

    /// Closes the object and returns its bytes, without a copy.
    public consuming func finish() -> [UInt8] {
        self.content.append(UInt8(ascii: "}"))
        return self.content
    }

    public mutating func add(_ name: StaticString, _ text: String) {
        self.addName(name)
        JSONWriter.append(text, to: &self.content)
    }

    public mutating func add(_ name: StaticString, _ value: some BinaryInteger) {
        self.addName(name)
        self.content.append(contentsOf: String(value).utf8)
    }

    public mutating func add(_ name: StaticString, _ value: Bool) {
        self.addName(name)
        self.content.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func add(_ name: StaticString, _ value: JSONValue) {
        self.addName(name)
        JSONWriter.append(value, to: &self.content, format: .compact, level: 0)
    }

    /// Adds a member whose name may be any.
    public mutating func add(_ member: JSONValue.Member) {
        if self.content.count > 1 { self.content.append(UInt8(ascii: ",")) }
        JSONWriter.append(member.name, to: &self.content)
        self.content.append(UInt8(ascii: ":"))
        JSONWriter.append(member.value, to: &self.content, format: .compact, level: 0)
    }

    /// Adds a member whose value is JSON text already.
    ///
    /// Not generic: every frame passes here, and a generic function of another module would take its bytes apart one by
    /// one through witness tables.
    public mutating func add(_ name: StaticString, raw: [UInt8]) {
        self.addName(name)
        self.content.append(contentsOf: raw)
    }

    /// Adds an array of values that are JSON text already.
    public mutating func add(_ name: StaticString, rawElements: some Collection<[UInt8]>) {
        self.addName(name)
        self.content.append(UInt8(ascii: "["))
        for (index, element) in rawElements.enumerated() {
            if index > 0 { self.content.append(UInt8(ascii: ",")) }
            self.content.append(contentsOf: element)
        }
        self.content.append(UInt8(ascii: "]"))
    }

    /// Adds the member if there is a value.
    public mutating func add(_ name: StaticString, ifPresent text: String?) {
        if let text { self.add(name, text) }
    }

    /// Adds the member if there is a value.
    public mutating func add(_ name: StaticString, ifPresent value: (some BinaryInteger)?) {
        if let value { self.add(name, value) }
    }

    /// Adds the members of an object that is JSON text already, in their order.
    ///
    /// - Parameter bytes: A text that was checked. Space around the object is left out.
    public mutating func addMembers(ofObject bytes: [UInt8]) {
        guard let brace = bytes.firstIndex(of: UInt8(ascii: "{")), let end = bytes.lastIndex(of: UInt8(ascii: "}")),
            let start = bytes[brace + 1..<end].firstIndex(where: { $0 > 0x20 })
        else { return }
        if self.content.count > 1 { self.content.append(UInt8(ascii: ",")) }
        self.content.append(contentsOf: bytes[start..<end])
    }

    /// Adds the members of an object that is JSON text already, those with the names `others` left out.
    public mutating func addMembers(ofObject bytes: [UInt8], but others: [String]) {
        guard let object = try? JSONObject(bytes, bounds: .rescan) else { return }
        for member in object.members where !others.contains(member.name) {
            if self.content.count > 1 { self.content.append(UInt8(ascii: ",")) }
            JSONWriter.append(member.name, to: &self.content)
            self.content.append(UInt8(ascii: ":"))
            self.content.append(contentsOf: object.slice(member).raw)
        }
    }

    /// `name` must need no escape: it is a literal of the source code.
    private mutating func addName(_ name: StaticString) {
        if self.content.count > 1 { self.content.append(UInt8(ascii: ",")) }
        self.content.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { self.content.append(contentsOf: $0) }
        self.content.append(UInt8(ascii: "\""))
        self.content.append(UInt8(ascii: ":"))
    }
}
