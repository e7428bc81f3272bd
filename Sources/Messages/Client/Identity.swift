import JSON

/// The local user whom an administrator asks about instead of itself. Numbers: the daemon resolves no names.
public struct Identity: Sendable, Equatable {
    /// The most user groups that a process can have (NGROUPS_MAX).
    public static let maximumGroups = 65_536
    /// What a user or a group can be; the last number means nobody.
    private static let numbers = 0...Int(UInt32.max) - 1

    public var uid: Int
    /// The primary user group; `nil` where it is not known.
    public var gid: Int?
    /// The other ones.
    public var groups: [Int]

    public init(uid: Int, gid: Int? = nil, groups: [Int] = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    /// As the kernel would describe a process of that user.
    public var peer: PeerCredentials {
        PeerCredentials(uid: self.uid, gid: self.gid ?? -1, pid: 0, groups: self.groups)
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("uid", self.uid)
        object.add("gid", ifPresent: self.gid)
        if !self.groups.isEmpty { object.add("groups", .array(self.groups.map { .integer($0) })) }
        return object.finish()
    }

    /// Reads the member `as`.
    init(decoding slice: JSONSlice) throws(MessageError) {
        let object = try slice.expectObject("as")
        try object.expectOnly(["uid", "gid", "groups"])
        self.uid = try object.require("uid").expectInteger("uid", in: Self.numbers)
        self.gid = try object.optional("gid")?.expectInteger("gid", in: Self.numbers)
        let groups = try object.optional("groups")?.expectArray("groups") ?? []
        self.groups = try groups.map { group throws(MessageError) in
            guard let number = group.integer, Self.numbers.contains(number), groups.count <= Self.maximumGroups else {
                throw .wrongType("groups", expected: "an array of at most \(Self.maximumGroups) numbers of user groups")
            }
            return number
        }
    }
}
