import JSON

/// A local user, or several, and what they may do.
///
/// Users and groups are numbers: names are resolved when the configuration is read, and the supervisor asks nobody.
public struct CallerSettings: Sendable, Equatable {
    public var name: String
    public var users: [Int]
    /// User groups; a member of any of them is this caller, unless an entry names the user.
    public var groups: [Int]
    /// Whether it is everybody whom no entry names.
    public var isDefault: Bool
    /// The purposes that may be named; `nil`: any, and none need be.
    public var purposes: [String]?
    /// The models that may be asked, among those that the purpose allows; `nil`: all of these.
    public var models: [String]?
    /// Whether it may say for whom a request is. Others are their own actor.
    public var mayNameActor: Bool
    public var isAdministrator: Bool
    /// How many connections all of its users may have at once; `nil`: as many as there are.
    public var maximumConnections: Int?
    /// The same for open requests.
    public var maximumRequests: Int?

    public init(
        name: String, users: [Int] = [], groups: [Int] = [], isDefault: Bool = false, purposes: [String]? = nil,
        models: [String]? = nil, mayNameActor: Bool = false, isAdministrator: Bool = false,
        maximumConnections: Int? = nil, maximumRequests: Int? = nil
    ) {
        self.name = name
        self.users = users
        self.groups = groups
        self.isDefault = isDefault
        self.purposes = purposes
        self.models = models
        self.mayNameActor = mayNameActor
        self.isAdministrator = isAdministrator
        self.maximumConnections = maximumConnections
        self.maximumRequests = maximumRequests
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        if !self.users.isEmpty { object.add("users", .array(self.users.map { .integer($0) })) }
        if !self.groups.isEmpty { object.add("groups", .array(self.groups.map { .integer($0) })) }
        if self.isDefault { object.add("default", true) }
        if let purposes = self.purposes { object.add("purposes", .array(purposes.map(JSONValue.string))) }
        if let models = self.models { object.add("models", .array(models.map(JSONValue.string))) }
        if self.mayNameActor { object.add("may_name_actor", true) }
        if self.isAdministrator { object.add("administrator", true) }
        object.add("max_connections", ifPresent: self.maximumConnections)
        object.add("max_requests", ifPresent: self.maximumRequests)
        return object.finish()
    }

    init(decoding value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string else { throw .missing("name") }
        func numbers(_ field: String) -> [Int] { value[field]?.array?.compactMap(\.integer) ?? [] }
        self.init(
            name: name, users: numbers("users"), groups: numbers("groups"), isDefault: value["default"]?.bool ?? false,
            purposes: value["purposes"]?.strings, models: value["models"]?.strings,
            mayNameActor: value["may_name_actor"]?.bool ?? false,
            isAdministrator: value["administrator"]?.bool ?? false,
            maximumConnections: value["max_connections"]?.integer,
            maximumRequests: value["max_requests"]?.integer)
    }
}
