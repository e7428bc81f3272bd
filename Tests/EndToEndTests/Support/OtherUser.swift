import Glibc

/// Runs `body` with the effective user `uid`, in this thread alone. Only root may.
///
/// `seteuid` of the C library changes all threads, and so the tests beside; the system call changes the thread that makes it
/// (setresuid(2), "C library/kernel differences"). `syscall` is found by name because Swift calls no variadic function and
/// imports no `SYS_setresuid`: its numbers are those of x86-64 and of the architectures that share the generic table.
func withEffectiveUser<Result>(_ uid: UInt32, _ body: () throws -> Result) throws -> Result {
    typealias Syscall = @convention(c) (Int, UInt32, UInt32, UInt32) -> Int
    #if arch(x86_64)
        let setresuid = 117
    #else
        let setresuid = 147
    #endif
    guard let symbol = dlsym(nil, "syscall") else { throw CannotChangeUser() }
    let call = unsafeBitCast(symbol, to: Syscall.self)
    guard call(setresuid, .max, uid, .max) == 0 else { throw CannotChangeUser() }
    defer { _ = call(setresuid, .max, 0, .max) }
    return try body()
}

struct CannotChangeUser: Error {}
