import Glibc
import Messages
import Synchronization

/// A connection as its users and its thread see it: the requests under a lock, and a way to wake the thread.
///
/// The thread owns the socket; see ``ConnectionThread``.
final class ClientConnection: Sendable {
    typealias Waiter = CheckedContinuation<Delivery, Never>

    private struct State {
        var multiplexer: Multiplexer<Waiter>
        /// What wakes the thread; `nil` when the thread is gone.
        var wakeDescriptor: CInt?
    }

    /// What the thread should do next.
    struct Wishes {
        var hasEnded: Bool
        var reads: Bool
        /// Bytes to send, in addition to those that the thread already has.
        var outgoing: [UInt8]
    }

    private let state: Mutex<State>

    init(wakeDescriptor: CInt, bound: Int) {
        self.state = Mutex(State(multiplexer: Multiplexer(bound: bound), wakeDescriptor: wakeDescriptor))
    }

    // MARK: For users

    func open(_ operation: ClientRequest.Operation) -> Int64 {
        self.change { $0.open(operation) }
    }

    /// Waits for the next frame of the answer to `id`; cancelling the task cancels the request.
    func next(_ id: Int64) async -> Delivery {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let delivery = self.change({ $0.take(id, waiter: continuation) }) {
                    continuation.resume(returning: delivery)
                }
            }
        } onCancel: {
            self.abandon(id)
        }
    }

    func cancel(_ id: Int64) { self.change { $0.cancel(id) } }

    func abandon(_ id: Int64) { self.resume(self.change { $0.abandon(id) }) }

    func release(_ id: Int64) { self.change { $0.release(id) } }

    /// Fails what is open and lets the thread close the socket.
    func end(_ error: ClientError) {
        for resumption in self.change({ $0.end(error) }) { self.resume(resumption) }
    }

    // MARK: For the thread

    func receive(_ payload: [UInt8]) throws(ClientError) {
        let result = self.state.withLock { state -> Result<Multiplexer<Waiter>.Resumption?, ClientError> in
            do throws(ClientError) { return .success(try state.multiplexer.receive(payload)) } catch {
                return .failure(error)
            }
        }
        self.resume(try result.get())
    }

    var isPaused: Bool { self.state.withLock { $0.multiplexer.isPaused } }

    func takeWishes() -> Wishes {
        self.state.withLock { state in
            Wishes(
                hasEnded: state.multiplexer.ending != nil, reads: !state.multiplexer.isPaused,
                outgoing: state.multiplexer.takeOutgoing())
        }
    }

    /// Tells that the thread is about to close the descriptor that wakes it.
    func threadWillEnd() { self.state.withLock { $0.wakeDescriptor = nil } }

    // MARK: Both

    /// Changes the requests, and wakes the thread where it has new work.
    private func change<Value: Sendable>(_ body: (inout Multiplexer<Waiter>) -> Value) -> Value {
        self.state.withLock { state in
            let (wasPaused, hadOutgoing) = (state.multiplexer.isPaused, state.multiplexer.hasOutgoing)
            let hadEnded = state.multiplexer.ending != nil
            let value = body(&state.multiplexer)
            let hasWork =
                (wasPaused && !state.multiplexer.isPaused) || (!hadOutgoing && state.multiplexer.hasOutgoing)
                || (!hadEnded && state.multiplexer.ending != nil)
            if hasWork, let descriptor = state.wakeDescriptor {
                // A full pair wakes as well as one byte more would.
                _ = try? UnixSocket.send([1], to: descriptor)
            }
            return value
        }
    }

    private func resume(_ resumption: Multiplexer<Waiter>.Resumption?) {
        if let resumption { resumption.waiter.resume(returning: resumption.delivery) }
    }
}
