import ArgumentParser
import BulkheadClient
import Glibc

/// A user of this host, by name or number, as the daemon would see a process of it: the daemon itself resolves no names.
struct LocalUser {
    let identity: Identity

    /// - Throws: That there is no such user.
    init(argument: String) throws {
        let found = Self.entry(named: argument) ?? UInt32(argument).flatMap(Self.entry(of:))
        if let found {
            let groups = Self.groups(of: found.name, gid: found.gid).filter { $0 != found.gid }
            self.identity = Identity(uid: Int(found.uid), gid: Int(found.gid), groups: groups.map(Int.init))
        } else if let uid = UInt32(argument), uid != .max {
            // A number that has no name can have processes all the same.
            self.identity = Identity(uid: Int(uid))
        } else {
            throw ValidationError("There is no user '\(argument)' on this host; give a name, or a number.")
        }
    }

    /// The name of a user; `nil` where it has none.
    static func name(of uid: Int) -> String? { UInt32(exactly: uid).flatMap(Self.entry(of:))?.name }

    private typealias Entry = (name: String, uid: uid_t, gid: gid_t)

    private static func entry(named name: String) -> Entry? { Self.entry { getpwnam_r(name, $0, $1, $2, $3) } }

    private static func entry(of uid: uid_t) -> Entry? { Self.entry { getpwuid_r(uid, $0, $1, $2, $3) } }

    private static func entry(
        _ look: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        )
            -> CInt
    ) -> Entry? {
        var length = 1024
        while length <= 1 << 20 {
            var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
            var buffer = [CChar](repeating: 0, count: length)
            let (code, result) = buffer.withUnsafeMutableBufferPointer { buffer in
                let code = look(&entry, buffer.baseAddress!, length, &found)
                return (code, found == nil ? nil : (String(cString: entry.pw_name), entry.pw_uid, entry.pw_gid))
            }
            guard code == ERANGE else { return result }
            length *= 4
        }
        return nil
    }

    /// `getgrouplist`, which says how much room it needs where there is too little.
    private static func groups(of name: String, gid: gid_t) -> [gid_t] {
        var count: CInt = 64
        var groups = [gid_t](repeating: 0, count: Int(count))
        if getgrouplist(name, gid, &groups, &count) < 0 {
            groups = [gid_t](repeating: 0, count: Int(count))
            guard getgrouplist(name, gid, &groups, &count) >= 0 else { return [] }
        }
        return Array(groups.prefix(Int(count)))
    }
}
