import Glibc

/// The users of this machine.
public enum SystemUsers {
    /// The number of the user `name`, or `nil` where there is none (`getpwnam_r`).
    public static func userID(_ name: String) -> Int? {
        Self.look { entry, buffer, result in
            getpwnam_r(name, entry, buffer.baseAddress!, buffer.count, result)
        }?.number
    }

    /// The home directory of the user with this number, or `nil` where none is known (`getpwuid_r`).
    public static func homeDirectory(_ number: UInt32) -> String? {
        Self.look { entry, buffer, result in
            getpwuid_r(number, entry, buffer.baseAddress!, buffer.count, result)
        }?.home
    }

    private typealias Call = (
        UnsafeMutablePointer<passwd>, UnsafeMutableBufferPointer<CChar>,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> CInt

    /// Makes the call with as much room as it asks for.
    private static func look(_ call: Call) -> (number: Int, home: String)? {
        var length = 4096
        while length <= 1 << 20 {
            var entry = passwd()
            var result: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: length)
            var found: (Int, String)?
            let code = buffer.withUnsafeMutableBufferPointer { room in
                let code = call(&entry, room, &result)
                if code == 0, result != nil { found = (Int(entry.pw_uid), String(cString: entry.pw_dir)) }
                return code
            }
            if code == ERANGE {
                length *= 4
            } else if code != EINTR {
                return found
            }
        }
        return nil
    }
}
