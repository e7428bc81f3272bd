import BlockingChannel
import CLinux
import Curl
import Glibc
import Messages
import Providers

/// The process of one provider: a control channel on descriptor 3, a slot on each descriptor from 4 on.
///
///     configured? ──no──▶ exit 78
///          │ yes
///          ▼
///       serving: slots run requests on threads of their own, this thread answers pings
///          │ the control channel ends
///          ▼
///       exit 0, whatever the slots are doing: no orphan survives its supervisor
struct Worker: ~Copyable {
    private var control: BlockingChannel
    private let name: String

    private static let controlDescriptor: CInt = 3
    private static let firstSlotDescriptor: CInt = 4

    /// - Parameter name: The provider's name, which a person sees in a list of processes.
    init(name: String) {
        self.name = name
        self.control = BlockingChannel(
            adopting: Self.controlDescriptor, maximumPayloadLength: ProtocolBounds.controlFrame)
    }

    /// Serves until the supervisor goes away.
    mutating func run() throws(StartError) -> Never {
        guard let settings = try self.configuration() else { _exit(0) }
        Curl.initialize()
        guard CLinux_close_range(UInt32(Self.firstSlotDescriptor) + UInt32(settings.slots), .max) == 0 else {
            throw StartError("close_range: \(String(cString: strerror(errno)))")
        }
        var models: [ModelDescription] = []
        for number in 0..<settings.slots {
            models = try Self.startSlot(on: Self.firstSlotDescriptor + CInt(number), settings)
        }
        self.report(.hello(WorkerHello(provider: self.name, slots: settings.slots, models: models)))
        while let payload = self.next() {
            guard case .ping(let number)? = try? WorkerControl(decoding: payload) else {
                throw StartError("the control channel carries something that is no ping")
            }
            self.report(.pong(number: number))
        }
        _exit(0)
    }

    /// The first frame; `nil` if the supervisor went away before it.
    private mutating func configuration() throws(StartError) -> ProviderSettings? {
        guard let payload = self.next() else { return nil }
        let control: WorkerControl
        do throws(MessageError) { control = try WorkerControl(decoding: payload) } catch {
            throw StartError("the configuration cannot be read: \(error)")
        }
        guard case .configure(let settings) = control else { throw StartError("the first frame is no configuration") }
        guard settings.name == self.name else { throw StartError("the configuration is for '\(settings.name)'") }
        return settings
    }

    /// Starts the thread of one slot, and returns the models that it serves.
    private static func startSlot(
        on descriptor: CInt, _ settings: ProviderSettings
    ) throws(StartError) -> [ModelDescription] {
        guard fcntl(descriptor, F_GETFD) != -1 else { throw StartError("slot descriptor \(descriptor) is not open") }
        // Made here, so that settings that cannot be used show before anything is ready; it is the thread's from then
        // on.
        nonisolated(unsafe) let (slot, provider) = try Self.makeSlot(on: descriptor, settings)
        let models = provider.models
        let code = Thread.start { slot.serve(with: provider) }
        guard code == 0 else { throw StartError("a slot's thread: \(String(cString: strerror(code)))") }
        return models
    }

    private static func makeSlot(
        on descriptor: CInt, _ settings: ProviderSettings
    ) throws(StartError) -> (Slot, any Provider) {
        let slot = Slot(adopting: descriptor)
        let transport = CurlTransport(waitingOn: descriptor) { [unowned slot] in slot.isInterrupted() }
        var identifiers = ULIDGenerator()
        let environment = ProviderEnvironment(transport: transport, channel: slot) {
            var random = SystemRandomNumberGenerator()
            return identifiers.next(atMilliseconds: Self.millisecondsSince1970, using: &random)
        }
        do throws(UnusableSettings) {
            return (slot, try ProviderRegistry.makeProvider(settings, in: environment))
        } catch {
            throw StartError("\(error)")
        }
    }

    private static var millisecondsSince1970: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    private mutating func next() -> [UInt8]? {
        do throws(ChannelError) { return try self.control.read() } catch { return nil }
    }

    /// Writes to the supervisor; without one, there is nothing left to do.
    private mutating func report(_ report: WorkerReport) {
        do throws(ChannelError) { try self.control.write(report.encoded) } catch { _exit(0) }
    }
}

/// Why a worker cannot begin, or go on: one sentence.
struct StartError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
