import JSON

/// `op: logs`: what was asked and answered, newest first, a page at a time.
public struct LogsRequest: Sendable, Equatable {
    /// How many rows at most, 1 to ``ProtocolBounds/pageRows``.
    public var limit = PageDefaults.limit
    /// Only rows whose id is smaller: the `next` of the page before.
    public var before: String?
    /// Only turns of this conversation.
    public var conversation: String?
    /// Only this model, by its id.
    public var model: String?
    /// Only turns whose prompt or answer matches, in the syntax of SQLite's full-text search.
    public var search: String?
    /// Only what was for this purpose, this actor and so on; never what llm itself wrote.
    public var mandate = MandateFilter()

    /// Only what the asker's own user asked, though an administrator may see more.
    public var own = false

    static let fields =
        ["id", "op", "limit", "before", "conversation", "model", "search", "own"] + MandateFilter.fields

    public init() {}

    init(decoding object: JSONObject) throws(MessageError) {
        self.limit = try object.pageLimit()
        self.before = try object.optional("before")?.expectName("before")
        self.conversation = try object.optional("conversation")?.expectName("conversation")
        self.model = try object.optional("model")?.expectName("model")
        self.search = try object.optional("search")?.expectString("search")
        if let search = self.search, search.utf8.count > ProtocolBounds.searchLength {
            throw .invalidValue("search", "longer than \(ProtocolBounds.searchLength) bytes")
        }
        self.mandate = try MandateFilter(decoding: object)
        self.own = try object.optional("own")?.expectBool("own") ?? false
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("limit", self.limit)
        object.add("before", ifPresent: self.before)
        object.add("conversation", ifPresent: self.conversation)
        object.add("model", ifPresent: self.model)
        object.add("search", ifPresent: self.search)
        self.mandate.append(to: &object)
        if self.own { object.add("own", true) }
    }
}

/// `op: requests`: the rows of the table of requests, newest first, a page at a time.
public struct RequestsRequest: Sendable, Equatable {
    /// How many rows at most, 1 to ``ProtocolBounds/pageRows``.
    public var limit = PageDefaults.limit
    /// Only rows whose id is smaller: the `next` of the page before.
    public var before: String?
    /// Only this model, by its id.
    public var model: String?
    /// Only rows in this state: `open`, `done`, `error`, `cancelled`, `crashed` or `lost`.
    public var state: String?
    /// Only what was for this purpose, this actor and so on.
    public var mandate = MandateFilter()

    /// Only the asker's own user's rows, though an administrator may see more.
    public var own = false

    static let fields = ["id", "op", "limit", "before", "model", "state", "own"] + MandateFilter.fields
    static let states = ["open"] + EndRecord.State.allCases.map(\.rawValue)

    public init() {}

    init(decoding object: JSONObject) throws(MessageError) {
        self.limit = try object.pageLimit()
        self.before = try object.optional("before")?.expectName("before")
        self.model = try object.optional("model")?.expectName("model")
        self.state = try object.optional("state")?.expectString("state")
        if let state = self.state, !Self.states.contains(state) {
            throw .invalidValue("state", "must be one of \(Self.states.joined(separator: ", "))")
        }
        self.mandate = try MandateFilter(decoding: object)
        self.own = try object.optional("own")?.expectBool("own") ?? false
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("limit", self.limit)
        object.add("before", ifPresent: self.before)
        object.add("model", ifPresent: self.model)
        object.add("state", ifPresent: self.state)
        self.mandate.append(to: &object)
        if self.own { object.add("own", true) }
    }
}

enum PageDefaults {
    static let limit = 20
}

extension JSONObject {
    fileprivate func pageLimit() throws(MessageError) -> Int {
        try self.optional("limit")?.expectInteger("limit", in: 1...ProtocolBounds.pageRows) ?? PageDefaults.limit
    }
}

extension JSONSlice {
    /// A string of 1 to ``ProtocolBounds/nameLength`` bytes.
    func expectName(_ name: String) throws(MessageError) -> String {
        let text = try self.expectString(name)
        guard !text.isEmpty else { throw .invalidValue(name, "must not be empty") }
        guard text.utf8.count <= ProtocolBounds.nameLength else {
            throw .invalidValue(name, "longer than \(ProtocolBounds.nameLength) bytes")
        }
        return text
    }
}
