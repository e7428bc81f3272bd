import Glibc
import Testing

@testable import Libuv

/// A handle lives from its making to its close callback, and no longer. A loop that is released with an open handle traps, so
/// every test here that ends has left none.
@Suite(.serialized) struct LifetimeTests {
    @Test func anOpenHandleLivesWithoutAReferenceAndAClosedOneDoesNot() throws {
        let loop = try Loop()
        weak var weakTimer: Timer?
        var hasFired = false
        do {
            let timer = try Timer(on: loop)
            weakTimer = timer
            timer.start(afterMilliseconds: 1) { hasFired = true }
        }
        #expect(weakTimer != nil)
        loop.run()
        #expect(hasFired)
        weakTimer?.close()
        loop.run()
        #expect(weakTimer == nil)
    }

    @Test func aCallbackThatHoldsItsOwnHandleDoesNotKeepIt() throws {
        let loop = try Loop()
        weak var weakTimer: Timer?
        do {
            let timer = try Timer(on: loop)
            weakTimer = timer
            timer.start(afterMilliseconds: 0) { timer.close() }
        }
        loop.run()
        #expect(weakTimer == nil)
    }

    @Test func theCloseCallbackComesOnceAndLast() throws {
        let loop = try Loop()
        var events: [String] = []
        let timer = try Timer(on: loop)
        timer.start(afterMilliseconds: 0) { events.append("fired") }
        timer.close { events.append("closed") }
        #expect(timer.isClosing)
        #expect(events == [])
        loop.run()
        #expect(events == ["closed"])
    }

    @Test func aTimerThatIsStartedAgainFiresOnceWithTheLastBody() throws {
        let loop = try Loop()
        var fired: [Int] = []
        let timer = try Timer(on: loop)
        for number in 1...3 { timer.start(afterMilliseconds: UInt64(number)) { fired.append(number) } }
        loop.run()
        #expect(fired == [3])
        timer.close()
        loop.run()
    }

    @Test func pipesGiveTheirDescriptorsBack() throws {
        let loop = try Loop()
        _ = try SocketPair.pipes(on: loop)
        let before = openDescriptors()
        for _ in 0..<100 {
            let (left, right) = try SocketPair.pipes(on: loop)
            try left.startReading({ _ in }, onEnd: { _ in })
            left.close()
            right.close()
        }
        // Other tests of this process open some at the same time.
        try loop.run(until: { openDescriptors() < before + 100 })
        withExtendedLifetime(loop) {}
    }

    @Test func aWriteThatIsOpenWhenItsPipeClosesIsToldSo() throws {
        let loop = try Loop()
        let (pipe, descriptor) = try SocketPair.pipe(on: loop)
        defer { close(descriptor) }
        var errors: [UVError?] = []
        try pipe.write([UInt8](repeating: 1, count: 4 << 20)[...]) { errors.append($0) }
        pipe.close()
        loop.run()
        #expect(errors == [.cancelled])
    }

    @Test func aSignalIsToldAndItsWatchDoesNotKeepTheLoop() throws {
        let loop = try Loop()
        var count = 0
        let signal = try Signal(SIGUSR1, on: loop) { count += 1 }
        loop.run()
        kill(getpid(), SIGUSR1)
        try loop.run(until: { count == 1 })
        signal.close()
        loop.run()
    }

    @Test func aSignalThatCannotBeWatchedLeavesNothingOpen() throws {
        let loop = try Loop()
        #expect(throws: UVError.self) { _ = try Signal(SIGKILL, on: loop) {} }
        loop.run()
    }
}
