import Glibc
import Libuv

/// A child process and the channels that it was born with.
///
/// Its first channel is on descriptor 3, the next on 4, and so on; standard input and output are `/dev/null`, standard
/// error is ours. Its end is told once, and only after all that it wrote on channels that are being read.
final class ChildProcess: Channel.Delegate {
    /// What a child tells the shell. It is never called from within a call to the child, except by
    /// ``ChildProcess/flush()``.
    protocol Delegate: AnyObject {
        func child(_ child: ChildProcess, channel: Int, received payload: [UInt8])
        func child(_ child: ChildProcess, channel: Int, beganFrame length: Int)
        func child(_ child: ChildProcess, channel: Int, broke reason: String)
        func child(_ child: ChildProcess, wroteAllOf channel: Int)
        func child(_ child: ChildProcess, exited status: ExitStatus)
        func childFinishedReading(_ child: ChildProcess)
    }

    /// How to start a program.
    struct Program {
        var path: String
        var arguments: [String]
        var environment: [String]
        /// The longest payload of each channel.
        var channels: [Int]
        /// Whether it makes itself the leader of a process group, so that what it starts can be killed with it.
        var leadsGroup = false
    }

    private let loop: Loop
    private unowned let delegate: any Delegate
    private var process: Libuv.Process!
    private var channels: [Channel] = []
    private let leadsGroup: Bool
    private var exitStatus: ExitStatus?
    private var hasExited = false
    /// Bounds the wait for the rest of what it wrote: a grandchild could hold a channel open.
    private var exitTimer: Timer?

    var pid: Int { Int(self.process.identifier) }

    init(_ program: Program, on loop: Loop, delegate: any Delegate) throws {
        self.loop = loop
        self.delegate = delegate
        self.leadsGroup = program.leadsGroup
        var theirs: [CInt] = []
        defer { for descriptor in theirs { Glibc.close(descriptor) } }
        do {
            for (index, length) in program.channels.enumerated() {
                var ends: [CInt] = [0, 0]
                guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
                else {
                    throw StartError("socketpair: \(String(cString: strerror(errno)))")
                }
                theirs.append(ends[1])
                let pipe = try Pipe(on: loop)
                do { try pipe.open(descriptor: ends[0]) } catch {
                    Glibc.close(ends[0])
                    pipe.close()
                    throw error
                }
                self.channels.append(Channel(pipe, index: index, maximumPayloadLength: length, delegate: self))
            }
            self.process = try Libuv.Process(
                on: loop, executable: program.path, arguments: program.arguments, environment: program.environment,
                descriptors: [.ignore, .ignore, .inherit(2)] + theirs.map(Libuv.Process.Descriptor.inherit)
            ) { [weak self] status in
                self?.exited(status)
            }
            for channel in self.channels { try channel.startReading() }
        } catch {
            for channel in self.channels { channel.close() }
            try? self.process?.kill(SIGKILL)
            throw error
        }
    }

    // MARK: Commands

    func send(_ payload: [UInt8], on channel: Int = 0) { self.channels[channel].send(payload) }
    func pause(_ channel: Int) { self.channels[channel].pause() }
    func resume(_ channel: Int) { self.channels[channel].resume() }
    func flush(_ channel: Int) {
        self.channels[channel].flush()
        // What the kernel took at once has left too.
        if self.channels[channel].backlog == 0 { self.delegate.child(self, wroteAllOf: channel) }
    }

    /// Closes every channel once what was sent has left: a child of ours ends then.
    func closeChannels() {
        for channel in self.channels { channel.closeWhenWritten {} }
    }

    /// Kills the process; nothing that it wrote is told any more.
    func kill() {
        for channel in self.channels { channel.close() }
        guard !self.hasExited else { return }
        // Its id is its own until its end is known; until it has made the group there is none, and nothing that it has started.
        if self.leadsGroup { _ = Glibc.kill(-self.process.identifier, SIGKILL) }
        try? self.process.kill(SIGKILL)
    }

    // MARK: Its end

    private func exited(_ status: ExitStatus) {
        self.process.close()
        self.hasExited = true
        self.exitStatus = status
        self.tellExitIfReadUp()
        guard self.exitStatus != nil, let timer = try? Timer(on: self.loop) else { return }
        self.exitTimer = timer
        timer.start(afterMilliseconds: 1000) { [unowned self] in self.tellExit() }
    }

    private func tellExitIfReadUp() {
        if self.exitStatus != nil, !self.channels.contains(where: \.isReading) { self.tellExit() }
    }

    private func tellExit() {
        guard let status = self.exitStatus else { return }
        self.exitStatus = nil
        self.exitTimer?.close()
        self.exitTimer = nil
        for channel in self.channels { channel.close() }
        self.delegate.child(self, exited: status)
    }

    // MARK: Its channels

    func channel(_ channel: Channel, received payload: [UInt8]) {
        self.delegate.child(self, channel: channel.index, received: payload)
    }

    func channel(_ channel: Channel, beganFrame length: Int?) {
        if let length { self.delegate.child(self, channel: channel.index, beganFrame: length) }
    }

    func channel(_ channel: Channel, announcedTooLong length: Int) {
        self.delegate.child(
            self, channel: channel.index, broke: "a frame of \(length) bytes is longer than its channel allows")
    }

    func channel(_ channel: Channel, hasBacklog bytes: Int, tookSome: Bool) {
        if bytes == 0 { self.delegate.child(self, wroteAllOf: channel.index) }
    }

    func channelHasMore(_ channel: Channel) { channel.deliver() }

    func channelFinishedReading(_ channel: Channel) { self.delegate.childFinishedReading(self) }

    /// A child that closes a channel is ending, or is told so by the next deadline that it misses.
    func channelEnded(_ channel: Channel) { self.tellExitIfReadUp() }
}
