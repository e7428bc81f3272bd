internal import CLibuv

/// An error reported by libuv.
///
/// Wraps the raw negative code, as `Errno` wraps a C error number, so that no code is ever lost in
/// translation; the codes that callers branch on have names.
public struct UVError: RawRepresentable, Error, Hashable, Sendable {
    public let rawValue: CInt
    public init(rawValue: CInt) { self.rawValue = rawValue }

    /// The stream ended.
    public static let endOfFile = Self(rawValue: UV_EOF.rawValue)
    /// The operation was cancelled because its handle was closed.
    public static let cancelled = Self(rawValue: UV_ECANCELED.rawValue)
}

extension UVError: CustomStringConvertible {
    public var description: String {
        unsafe "\(String(cString: uv_err_name(self.rawValue))): \(String(cString: uv_strerror(self.rawValue)))"
    }
}

/// Throws if `status` is negative, as every libuv call reports its failure.
@discardableResult
func check(_ status: CInt) throws(UVError) -> CInt {
    guard status >= 0 else { throw UVError(rawValue: status) }
    return status
}
