import Glibc

/// A value that threads share, and whose changes they can wait for.
public final class Monitor<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init(_ value: Value) {
        self.value = value
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.changed, nil)
    }

    deinit {
        pthread_cond_destroy(self.changed)
        pthread_mutex_destroy(self.mutex)
        self.changed.deallocate()
        self.mutex.deallocate()
    }

    public func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(self.mutex)
        defer {
            pthread_cond_broadcast(self.changed)
            pthread_mutex_unlock(self.mutex)
        }
        return try body(&self.value)
    }

    /// Waits until `condition` holds; `false` if it still does not after so many seconds.
    public func wait(seconds: Int, until condition: (Value) -> Bool) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += seconds
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while !condition(self.value) {
            if pthread_cond_timedwait(self.changed, self.mutex, &deadline) == ETIMEDOUT { return condition(self.value) }
        }
        return true
    }
}
