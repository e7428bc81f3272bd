import Configuration
import Glibc
import Messages

extension KeyUse {
    /// What the supervisor kept in its state directory; nothing where it cannot be read, for it is only a convenience.
    static func kept(in directory: String) -> KeyUse {
        let path = "\(directory)/\(Self.fileName)"
        guard access(path, F_OK) == 0, let file = try? ConfigurationFile.load(path, maximumLength: Self.maximumLength)
        else { return KeyUse() }
        return (try? KeyUse(decoding: file.bytes)) ?? KeyUse()
    }
}
