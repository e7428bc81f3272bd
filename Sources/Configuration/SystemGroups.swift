import Glibc

/// The user groups of this machine.
public enum SystemGroups {
    /// The number of the group `name`, or `nil` where there is none (`getgrnam_r`).
    public static func groupID(_ name: String) -> Int? {
        var length = 4096
        while length <= 1 << 20 {
            var entry = group()
            var result: UnsafeMutablePointer<group>?
            var buffer = [CChar](repeating: 0, count: length)
            let code = getgrnam_r(name, &entry, &buffer, buffer.count, &result)
            if code == ERANGE {
                length *= 4
            } else if code != EINTR {
                return code == 0 && result != nil ? Int(entry.gr_gid) : nil
            }
        }
        return nil
    }
}
