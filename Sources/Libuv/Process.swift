internal import CLibuv

/// How a process ended.
public enum ExitStatus: Equatable, Sendable {
    case exited(code: Int64)
    case signalled(CInt)
}

/// A child process (`uv_process_t`).
@safe public final class Process: Handle {
    /// What a descriptor of the child is made from, in descriptor order.
    public enum Descriptor: Sendable {
        /// `/dev/null` for the first three, closed for others.
        case ignore
        /// A duplicate of one of ours, which stays open here.
        case inherit(CInt)
    }

    private var onExit: ((ExitStatus) -> Void)?

    /// Starts `executable`.
    ///
    /// - Parameters:
    ///   - arguments: All of `argv`, its own name included.
    ///   - environment: All of it, as `NAME=value`.
    ///   - onExit: Called once; the process must then be closed.
    public init(
        on loop: Loop,
        executable: String,
        arguments: [String],
        environment: [String],
        descriptors: [Descriptor],
        onExit: @escaping (ExitStatus) -> Void
    ) throws(UVError) {
        self.onExit = onExit
        let argv = CStringArray(arguments)
        let envp = CStringArray(environment)
        var stdio = unsafe descriptors.map { descriptor in
            var container = unsafe uv_stdio_container_t()
            switch descriptor {
            case .ignore:
                unsafe container.flags = UV_IGNORE
            case .inherit(let fd):
                unsafe container.flags = UV_INHERIT_FD
                unsafe container.data.fd = fd
            }
            return unsafe container
        }
        var status: CInt = 0
        unsafe try super.init(uv_process_t.self) { (raw) throws(UVError) in
            status = unsafe stdio.withUnsafeMutableBufferPointer { stdio in
                unsafe executable.withCString { path in
                    var options = unsafe uv_process_options_t()
                    unsafe options.file = path
                    unsafe options.args = argv.pointer
                    unsafe options.env = envp.pointer
                    unsafe options.stdio_count = CInt(stdio.count)
                    unsafe options.stdio = stdio.baseAddress
                    unsafe options.exit_cb = { raw, code, signal in
                        let process = unsafe Process.from(raw)
                        process.onExit?(signal == 0 ? .exited(code: code) : .signalled(signal))
                    }
                    return unsafe uv_spawn(loop.raw, raw, &options)
                }
            }
        }
        // `uv_spawn` initialises the handle even when it fails to spawn, so the handle must be
        // closed, not freed.
        guard status == 0 else {
            self.close()
            throw UVError(rawValue: status)
        }
    }

    override func dropCallbacks() { self.onExit = nil }

    /// The process id, as long as the process has not been closed.
    public var identifier: CInt { unsafe uv_process_get_pid(self.withRaw(as: uv_process_t.self)) }

    public func kill(_ signal: CInt) throws(UVError) {
        unsafe try check(uv_process_kill(self.withRaw(as: uv_process_t.self), signal))
    }
}

/// A NULL-terminated array of C strings, as `execve` takes.
@safe private final class CStringArray {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        self.count = strings.count
        unsafe self.pointer = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            let utf8 = Array(string.utf8CString)
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: utf8.count)
            unsafe copy.initialize(from: utf8, count: utf8.count)
            unsafe (self.pointer + index).initialize(to: copy)
        }
        unsafe (self.pointer + strings.count).initialize(to: nil)
    }

    deinit {
        for index in 0..<self.count { unsafe self.pointer[index]?.deallocate() }
        unsafe self.pointer.deallocate()
    }
}
