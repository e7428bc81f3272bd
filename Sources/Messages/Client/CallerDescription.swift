public import JSON

/// Whom the daemon takes a client for, and what that caller may do: the answer to `op: whoami`.
public struct CallerDescription: Sendable, Equatable {
    /// The name of the entry of `callers`; `nil` where none is configured, or none is about this user.
    public var name: String?
    /// Whether it may ask anything at all.
    public var isAllowed: Bool
    /// What the kernel says of the process at the other end of the connection.
    public var peer: PeerCredentials
    public var isAdministrator: Bool
    public var mayNameActor: Bool
    /// The purposes that it may name; `nil`: any, and none need be.
    public var purposes: [String]?
    /// The models that it may ask, among those that the purpose allows; `nil`: all of these.
    public var models: [String]?
    /// `nil`: as many as there are.
    public var maximumConnections: Int?
    public var maximumRequests: Int?

    public init(
        name: String? = nil, isAllowed: Bool, peer: PeerCredentials, isAdministrator: Bool = false,
        mayNameActor: Bool = false, purposes: [String]? = nil, models: [String]? = nil,
        maximumConnections: Int? = nil, maximumRequests: Int? = nil
    ) {
        self.name = name
        self.isAllowed = isAllowed
        self.peer = peer
        self.isAdministrator = isAdministrator
        self.mayNameActor = mayNameActor
        self.purposes = purposes
        self.models = models
        self.maximumConnections = maximumConnections
        self.maximumRequests = maximumRequests
    }

    public var encoded: [UInt8] {
        func list(_ names: [String]?) -> JSONValue { names.map { .array($0.map(JSONValue.string)) } ?? .null }
        var object = JSONObjectBuilder()
        object.add("caller", ifPresent: self.name)
        object.add("allowed", self.isAllowed)
        object.add("uid", self.peer.uid)
        object.add("gid", self.peer.gid)
        object.add("groups", .array(self.peer.groups.map { .integer($0) }))
        object.add("pid", self.peer.pid)
        object.add("unit", ifPresent: self.peer.unit)
        object.add("administrator", self.isAdministrator)
        object.add("may_name_actor", self.mayNameActor)
        object.add("purposes", list(self.purposes))
        object.add("models", list(self.models))
        object.add("max_connections", ifPresent: self.maximumConnections)
        object.add("max_requests", ifPresent: self.maximumRequests)
        return object.finish()
    }

    public init(decoding value: JSONValue) throws(MessageError) {
        func integer(_ name: String) throws(MessageError) -> Int {
            guard let number = value[name]?.integer else { throw .wrongType(name, expected: "an integer") }
            return number
        }
        func bool(_ name: String) throws(MessageError) -> Bool {
            guard let bool = value[name]?.bool else { throw .wrongType(name, expected: "true or false") }
            return bool
        }
        self.init(
            name: value["caller"]?.string, isAllowed: try bool("allowed"),
            peer: PeerCredentials(
                uid: try integer("uid"), gid: try integer("gid"), pid: try integer("pid"),
                groups: value["groups"]?.array?.compactMap(\.integer) ?? [], unit: value["unit"]?.string),
            isAdministrator: try bool("administrator"), mayNameActor: try bool("may_name_actor"),
            purposes: value["purposes"]?.strings, models: value["models"]?.strings,
            maximumConnections: value["max_connections"]?.integer,
            maximumRequests: value["max_requests"]?.integer)
    }
}
