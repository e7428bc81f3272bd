internal import CLibuv

/// A stream over a Unix socket (`uv_pipe_t`).
@safe public final class Pipe: Handle {
    private let loop: Loop
    private var onRead: ((RawSpan) -> Void)?
    private var onEnd: ((UVError) -> Void)?
    private var onConnection: ((UVError?) -> Void)?

    public init(on loop: Loop) throws(UVError) {
        self.loop = loop
        unsafe try super.init(uv_pipe_t.self) { (raw) throws(UVError) in
            unsafe try check(uv_pipe_init(loop.raw, raw, 0))
        }
    }

    private var stream: UnsafeMutablePointer<uv_stream_t> { unsafe self.withRaw(as: uv_stream_t.self) }

    /// Adopts an open socket, which the pipe closes and makes non-blocking.
    public func open(descriptor: CInt) throws(UVError) {
        unsafe try check(uv_pipe_open(self.withRaw(as: uv_pipe_t.self), descriptor))
    }

    // MARK: Listening

    /// Listens on the socket that was opened, and calls `body` for each client that waits.
    public func listen(backlog: CInt, _ body: @escaping (UVError?) -> Void) throws(UVError) {
        self.onConnection = body
        unsafe try check(
            uv_listen(self.stream, backlog) { raw, status in
                unsafe Pipe.from(raw).onConnection?(status < 0 ? UVError(rawValue: status) : nil)
            })
    }

    /// Takes the client that waits.
    public func accept(into client: Pipe) throws(UVError) {
        unsafe try check(uv_accept(self.stream, client.stream))
    }

    /// The descriptor of the socket, for `getsockopt`; the pipe owns it.
    public var descriptor: CInt {
        get throws(UVError) {
            var descriptor: CInt = -1
            unsafe try check(uv_fileno(self.raw, &descriptor))
            return descriptor
        }
    }

    // MARK: Reading

    /// Calls `onRead` with each run of bytes as it arrives, then `onEnd` once.
    ///
    /// The span cannot outlive the call: the buffer behind it serves every stream of the loop.
    public func startReading(_ onRead: @escaping (RawSpan) -> Void, onEnd: @escaping (UVError) -> Void) throws(UVError)
    {
        self.onRead = onRead
        self.onEnd = onEnd
        try self.resumeReading()
    }

    /// Reads no more until ``resumeReading()``. What arrives meanwhile waits in the kernel.
    public func pauseReading() { unsafe _ = uv_read_stop(self.stream) }

    public func resumeReading() throws(UVError) {
        let status = unsafe uv_read_start(
            self.stream,
            { raw, _, buffer in
                let shared = unsafe Pipe.from(raw).loop.readBuffer
                unsafe buffer!.pointee = uv_buf_init(
                    shared.baseAddress!.assumingMemoryBound(to: CChar.self), CUnsignedInt(shared.count))
            },
            { raw, count, _ in
                let pipe = unsafe Pipe.from(raw)
                if count > 0 {
                    let bytes = unsafe UnsafeRawBufferPointer(rebasing: pipe.loop.readBuffer[..<count])
                    unsafe pipe.onRead?(bytes.bytes)
                } else if count < 0 {
                    pipe.onEnd?(UVError(rawValue: CInt(count)))
                }
            })
        if status != UV_EALREADY.rawValue { try check(status) }
    }

    // MARK: Writing

    /// Writes what the kernel takes at once, and returns how many bytes that was; 0 where it takes none now.
    public func tryWrite(_ bytes: ArraySlice<UInt8>) throws(UVError) -> Int {
        guard !bytes.isEmpty else { return 0 }
        let stream = unsafe self.stream
        let status = unsafe bytes.withUnsafeBytes { memory in
            var buffer = unsafe Self.buffer(of: memory)
            return unsafe uv_try_write(stream, &buffer, 1)
        }
        if status == UV_EAGAIN.rawValue { return 0 }
        return Int(try check(status))
    }

    /// Writes `bytes` as the kernel takes them, and calls `body` once, when all are written or it failed.
    public func write(_ bytes: ArraySlice<UInt8>, _ body: @escaping (UVError?) -> Void) throws(UVError) {
        let request = WriteRequest(bytes: bytes, body: body)
        unsafe try check(request.start(on: self.stream))
    }

    fileprivate static func buffer(of memory: UnsafeRawBufferPointer) -> uv_buf_t {
        // libuv takes a mutable pointer and does not write through it.
        let base = unsafe UnsafeMutableRawPointer(mutating: memory.baseAddress!).assumingMemoryBound(to: CChar.self)
        return unsafe uv_buf_init(base, CUnsignedInt(memory.count))
    }

    override func dropCallbacks() {
        self.onRead = nil
        self.onEnd = nil
        self.onConnection = nil
    }
}

/// A write in flight. libuv borrows its memory until the callback, for which it retains itself.
@safe private final class WriteRequest {
    private let raw: UnsafeMutablePointer<uv_write_t>
    private let bytes: UnsafeMutableRawBufferPointer
    private let body: (UVError?) -> Void

    init(bytes: ArraySlice<UInt8>, body: @escaping (UVError?) -> Void) {
        unsafe self.raw = .allocate(capacity: 1)
        unsafe self.bytes = .allocate(byteCount: bytes.count, alignment: 1)
        unsafe self.bytes.copyBytes(from: bytes)
        self.body = body
    }

    deinit {
        unsafe self.bytes.deallocate()
        unsafe self.raw.deallocate()
    }

    func start(on stream: UnsafeMutablePointer<uv_stream_t>) -> CInt {
        unsafe self.raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
        var buffer = unsafe Pipe.buffer(of: UnsafeRawBufferPointer(self.bytes))
        let status = unsafe uv_write(self.raw, stream, &buffer, 1) { raw, status in
            let request = unsafe Unmanaged<WriteRequest>.fromOpaque(raw!.pointee.data).takeRetainedValue()
            request.body(status < 0 ? UVError(rawValue: status) : nil)
        }
        if status < 0 { unsafe Unmanaged.passUnretained(self).release() }
        return status
    }
}
