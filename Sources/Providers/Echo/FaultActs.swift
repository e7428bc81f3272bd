import Glibc

/// What a broken process does.
enum FaultActs {
    static func crash() { UnsafeMutablePointer<Int>(bitPattern: 8)!.pointee = 1 }

    static func exit() { _exit(7) }

    static func hang() -> Never {
        while true { pause() }
    }

    static func stop() { raise(SIGSTOP) }

    static func leak(byteCount: Int) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, byteCount), alignment: 16)
        memset(memory, 0x55, byteCount)
    }
}
