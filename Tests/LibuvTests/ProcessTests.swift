import Glibc
import Testing

@testable import Libuv

@Suite(.serialized) struct ProcessTests {
    private static func shell(
        _ script: String, on loop: Loop, environment: [String] = [],
        descriptors: [Process.Descriptor] = [.ignore, .ignore, .ignore], _ onExit: @escaping (Libuv.ExitStatus) -> Void
    ) throws -> Process {
        try Process(
            on: loop, executable: "/bin/sh", arguments: ["sh", "-c", script], environment: environment,
            descriptors: descriptors, onExit: onExit)
    }

    @Test(arguments: [0, 1, 78, 255]) func anExitIsToldWithItsCode(code: Int) throws {
        let loop = try Loop()
        var statuses: [Libuv.ExitStatus] = []
        let process = try Self.shell("exit \(code)", on: loop) { statuses.append($0) }
        #expect(process.identifier > 0)
        try loop.run(until: { !statuses.isEmpty })
        #expect(statuses == [.exited(code: Int64(code))])
        process.close()
        loop.run()
    }

    @Test func aDeathBySignalIsToldWithItsNumber() throws {
        let loop = try Loop()
        var statuses: [Libuv.ExitStatus] = []
        let process = try Self.shell("exec sleep 600", on: loop) { statuses.append($0) }
        try process.kill(SIGKILL)
        try loop.run(until: { !statuses.isEmpty })
        #expect(statuses == [.signalled(SIGKILL)])
        process.close()
        loop.run()
    }

    @Test func aChildHasTheDescriptorsAndTheEnvironmentThatItWasGivenAndNoOthers() throws {
        let loop = try Loop()
        let (pipe, theirs) = try SocketPair.pipe(on: loop)
        let (other, leaked) = try SocketPair.descriptors()
        var text = ""
        var hasEnded = false
        try pipe.startReading(
            { text += $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }, onEnd: { _ in hasEnded = true })
        var status: Libuv.ExitStatus?
        // The listing itself opens one.
        let script =
            "{ echo $A; for n in 4 5 6 7 8 9 \(other) \(leaked); do [ -e /proc/$$/fd/$n ] && echo open $n; done; } >&3"
        let process = try Self.shell(
            script, on: loop, environment: ["A=given"], descriptors: [.ignore, .ignore, .ignore, .inherit(theirs)]
        ) { status = $0 }
        close(theirs)
        try loop.run(until: { status != nil && hasEnded })
        #expect(text.split(separator: "\n").first == "given")
        #expect(!text.contains("open \(other)\n") && !text.contains("open \(leaked)\n"), "\(text)")
        for descriptor in [other, leaked] { close(descriptor) }
        process.close()
        pipe.close()
        loop.run()
    }

    @Test func aProgramThatIsNotThereLeavesNothingOpen() throws {
        let loop = try Loop()
        let warmUp = try Self.shell("exit 0", on: loop) { _ in loop.stop() }
        loop.run()
        warmUp.close()
        loop.run()
        let before = openDescriptors()
        var exits = 0
        for _ in 0..<50 {
            #expect(throws: UVError(rawValue: -ENOENT)) {
                _ = try Process(
                    on: loop, executable: "/nowhere/at-all", arguments: ["x"], environment: [],
                    descriptors: [.ignore, .ignore, .ignore], onExit: { _ in exits += 1 })
            }
        }
        loop.run()
        #expect(exits == 0)
        // Other tests of this process open some at the same time.
        #expect(openDescriptors() < before + 50)
    }

    @Test func manyChildrenAreAllMissed() throws {
        let loop = try Loop()
        var codes: Set<Int64> = []
        var processes: [Process] = []
        for code in 1...20 {
            processes.append(
                try Self.shell("exit \(code)", on: loop) { if case .exited(let code) = $0 { codes.insert(code) } })
        }
        try loop.run(until: { codes.count == 20 })
        #expect(codes == Set(1...20))
        for process in processes { process.close() }
        loop.run()
    }
}
