/// The unit of systemd that a process belongs to, as /proc/PID/cgroup tells it (cgroups(7)).
///
///     0::/system.slice/nginx.service                                            nginx.service
///     0::/user.slice/user-1000.slice/session-3.scope                            session-3.scope
///     0::/user.slice/user-1000.slice/user@1000.service/app.slice/notes.service  user@1000.service/notes.service
///
/// The outermost unit counts, as for journald's `_SYSTEMD_UNIT`: what is below it may be made by whoever the unit belongs
/// to, under any name. The manager of a user is such a unit; what it started is named after it, so that a user's own
/// `nginx.service` cannot be taken for the system's.
public enum SystemdUnit {
    /// The unit, of at most 511 bytes of ASCII; `nil` where there is none, as in a container.
    ///
    /// - Parameter controlGroups: What the file says. A last line without an end is not whole, and is not read.
    public static func name(inControlGroups controlGroups: [UInt8]) -> String? {
        var legacy: String?
        var rest = controlGroups[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            // hierarchy:controllers:path, where the path may hold colons.
            guard let first = line.firstIndex(of: UInt8(ascii: ":")),
                let second = line[(first + 1)...].firstIndex(of: UInt8(ascii: ":"))
            else { continue }
            let controllers = line[(first + 1)..<second]
            if controllers.isEmpty {
                if let unit = Self.name(inPath: line[(second + 1)...]) { return unit }
            } else if controllers.elementsEqual("name=systemd".utf8) {
                legacy = Self.name(inPath: line[(second + 1)...])
            }
        }
        return legacy
    }

    private static func name(inPath path: ArraySlice<UInt8>) -> String? {
        // A process outside of our own part of the tree has a path that goes up first.
        var rest = path.split(separator: UInt8(ascii: "/")).drop { $0.elementsEqual("..".utf8) }
        guard let unit = Self.takeUnit(&rest) else { return nil }
        guard Self.isUserManager(unit), let inner = Self.takeUnit(&rest) else { return unit }
        return "\(unit)/\(inner)"
    }

    /// Takes slices, which only divide up resources, and what follows them, if that is a unit.
    private static func takeUnit(_ components: inout ArraySlice<ArraySlice<UInt8>>) -> String? {
        while let component = components.popFirst() {
            guard let name = Self.unitName(component) else { return nil }
            if !name.hasSuffix(".slice") { return name }
        }
        return nil
    }

    /// The kinds of units that processes live in.
    private static let suffixes = [".slice", ".service", ".scope", ".socket", ".mount", ".swap"]
    /// systemd.unit(5).
    private static let maximumLength = 255

    private static func unitName(_ component: ArraySlice<UInt8>) -> String? {
        // systemd puts `_` before names that would be taken for files of the kernel.
        let bytes = component.first == UInt8(ascii: "_") ? component.dropFirst() : component
        guard bytes.count <= Self.maximumLength, bytes.allSatisfy(Self.isNameByte) else { return nil }
        let name = String(decoding: bytes, as: UTF8.self)
        guard let suffix = Self.suffixes.first(where: name.hasSuffix), name.utf8.count > suffix.utf8.count else {
            return nil
        }
        return name
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ":-_.\\@".utf8.contains(byte)
        }
    }

    /// Whether it is `user@UID.service`.
    private static func isUserManager(_ unit: String) -> Bool {
        unit.hasPrefix("user@") && unit.hasSuffix(".service")
    }
}
