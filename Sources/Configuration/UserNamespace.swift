/// Whether the kernel can tell this process who its clients are.
///
/// In a user namespace that lacks some of the machine's users, all of those are the one user 65534 to us. `PrivateUsers=` of
/// systemd and containers without root make such namespaces.
public enum UserNamespace {
    /// How many numbers a map can hold; the last 32-bit number is nobody's.
    private static let whole: UInt64 = 0xFFFF_FFFF

    /// - Parameter map: The text of /proc/self/uid_map or gid_map: lines of the first number inside, the first outside, and
    ///   how many there are (user_namespaces(7)).
    static func isWhole(_ map: String) -> Bool {
        var end: UInt64 = 0
        let ranges = map.split(separator: "\n").compactMap { line -> (start: UInt64, count: UInt64)? in
            let numbers = line.split { $0 == " " || $0 == "\t" }.compactMap { UInt32($0).map(UInt64.init) }
            return numbers.count == 3 ? (numbers[0], numbers[2]) : nil
        }
        for range in ranges.sorted(by: { $0.start < $1.start }) {
            guard range.start <= end else { return false }
            end = max(end, range.start + range.count)
        }
        return end >= Self.whole
    }

    /// Why these maps (path and text) do not do; `nil` where they do.
    static func refusal(of maps: [(path: String, text: String)]) -> String? {
        guard let map = maps.first(where: { !Self.isWhole($0.text) }) else { return nil }
        return "\(map.path) maps only some of this machine's users, so that the others could not be told apart: "
            + "run the daemon without PrivateUsers= (systemd) or outside of a rootless container, in the host's user "
            + "namespace"
    }
}
