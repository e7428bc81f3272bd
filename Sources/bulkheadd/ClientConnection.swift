import Libuv
import Messages
import SupervisorCore

/// A client's end of the shell: its channel, told to the core as events.
final class ClientConnection: Channel.Delegate {
    private let id: ConnectionID
    private unowned let shell: Shell
    private(set) var channel: Channel!
    /// Whether the shell will flush the channel at the end of this turn.
    var isFlushPending = false

    init(_ id: ConnectionID, _ pipe: Pipe, shell: Shell) {
        self.id = id
        self.shell = shell
        self.channel = Channel(pipe, maximumPayloadLength: ProtocolBounds.clientFrame, batch: 16, delegate: self)
    }

    func channel(_ channel: Channel, received payload: [UInt8]) { self.shell.queue(.clientFrame(self.id, payload)) }

    func channel(_ channel: Channel, beganFrame length: Int?) {
        self.shell.queue(.clientFrameBegun(self.id, length: length))
    }

    func channel(_ channel: Channel, announcedTooLong length: Int) {
        self.shell.queue(.clientFrameTooLong(self.id, length: length))
    }

    func channel(_ channel: Channel, hasBacklog bytes: Int, tookSome: Bool) {
        self.shell.queue(.clientBacklog(self.id, bytes: bytes, tookSome: tookSome))
    }

    func channelHasMore(_ channel: Channel) { self.shell.deliverLater(channel) }

    func channelFinishedReading(_ channel: Channel) { self.shell.drain() }

    func channelEnded(_ channel: Channel) { self.shell.clientEnded(self.id) }
}
