import Messages
import Testing

@testable import SupervisorCore

/// The rules of what is tried after what, without a supervisor around them.
@Suite struct AttemptsTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)
    private static let far = start + .seconds(600)

    private static func failure(_ code: ErrorCode, after milliseconds: Int? = nil) -> Failure {
        Failure(code, "no", retryAfterMilliseconds: milliseconds)
    }

    private static func candidates(_ names: String...) -> [Attempts.Candidate] {
        names.enumerated().map { Attempts.Candidate(provider: $0.offset + 1, model: ModelDescription(id: $0.element)) }
    }

    /// The waits of a request whose attempts all fail so, in milliseconds, until it is not tried again.
    private static func waits(
        _ failure: Failure, retries: Int, deadline: Instant = Self.far, seed: UInt64 = 1
    ) -> [Int] {
        var random = SeededGenerator(seed: seed)
        var attempts = Attempts(retries: retries)
        var waits: [Int] = []
        while true {
            attempts.begin()
            guard
                case .retry(let instant) = attempts.next(
                    after: failure, at: Self.start, deadline: deadline, using: &random)
            else { return waits }
            waits.append(instant.milliseconds(since: Self.start))
        }
    }

    @Test func onlyWhatMayPassByItselfIsTriedAgain() {
        for code in ErrorCode.allCases {
            let isTriedAgain = [.providerRateLimited, .providerError, .providerUnreachable].contains(code)
            #expect(!Self.waits(Self.failure(code), retries: 1).isEmpty == isTriedAgain, "\(code)")
        }
    }

    @Test func anotherModelIsAskedWhereItMayDoBetter() {
        let codes: [ErrorCode] = [
            .providerRateLimited, .providerError, .providerUnreachable, .providerAuthentication, .providerUnavailable,
            .noKey, .overloaded,
        ]
        var random = SeededGenerator(seed: 1)
        for code in ErrorCode.allCases {
            var attempts = Attempts(alternatives: Self.candidates("b"))
            attempts.begin()
            let next = attempts.next(after: Self.failure(code), at: Self.start, deadline: Self.far, using: &random)
            #expect(next == (codes.contains(code) ? .nextModel : .end), "\(code)")
        }
    }

    @Test func theWaitDoublesUpToABoundAndIsCutAtRandom() {
        let full = [500, 1000, 2000, 4000, 8000, 8000]
        var distinct: Set<Int> = []
        for seed in 0..<50 as Range<UInt64> {
            let waits = Self.waits(Self.failure(.providerError), retries: 6, seed: seed)
            #expect(waits.count == 6)
            for (wait, full) in zip(waits, full) { #expect((full / 2...full).contains(wait)) }
            distinct.insert(waits[0])
        }
        #expect(distinct.count > 30)
    }

    @Test func theProvidersOwnWaitIsKeptAndALittleAddedAtRandom() {
        for seed in 0..<50 as Range<UInt64> {
            let waits = Self.waits(Self.failure(.providerRateLimited, after: 20_000), retries: 3, seed: seed)
            #expect(waits.count == 3 && waits.allSatisfy { (20_000...22_000).contains($0) })
        }
        // No wait at all is none that was named.
        #expect(Self.waits(Self.failure(.providerRateLimited, after: 0), retries: 1).first.map { $0 >= 250 } == true)
    }

    @Test func aWaitThatIsTooLongIsNotWaited() {
        #expect(Self.waits(Self.failure(.providerRateLimited, after: 60_000), retries: 1).count == 1)
        #expect(Self.waits(Self.failure(.providerRateLimited, after: 60_001), retries: 1) == [])
        #expect(Self.waits(Self.failure(.providerError), retries: 1, deadline: Self.start + .milliseconds(250)) == [])
        #expect(
            Self.waits(Self.failure(.providerError), retries: 1, deadline: Self.start + .milliseconds(501)).count == 1)
        var random = SeededGenerator(seed: 1)
        var attempts = Attempts(retries: 5, alternatives: Self.candidates("b"))
        attempts.begin()
        let failure = Self.failure(.providerRateLimited, after: 3_600_000)
        #expect(attempts.next(after: failure, at: Self.start, deadline: Self.far, using: &random) == .nextModel)
    }

    @Test func eachModelHasItsRetriesAndTheyStartAnew() {
        var random = SeededGenerator(seed: 1)
        var attempts = Attempts(retries: 1, alternatives: Self.candidates("b", "c"))
        var order: [String] = ["a"]
        while true {
            attempts.begin()
            switch attempts.next(
                after: Self.failure(.providerError), at: Self.start, deadline: Self.far, using: &random)
            {
            case .retry(let instant):
                #expect(instant <= Self.start + .milliseconds(500))
                order.append(order.last!)
                continue
            case .nextModel:
                order.append(attempts.takeNext()!.model.id)
                attempts.handedOn(retries: order.last == "b" ? 1 : 0)
                continue
            case .end:
                #expect(!attempts.hasMore)
            }
            break
        }
        #expect(order == ["a", "a", "b", "b", "c"])
    }

    @Test func eightAttemptsAreTheMost() {
        #expect(Self.waits(Self.failure(.providerError), retries: 100).count == 7)
        var attempts = Attempts(retries: 5, alternatives: Self.candidates("b"))
        for _ in 0..<8 { attempts.begin() }
        #expect(!attempts.hasMore)
        #expect(attempts.takeNext() == nil)
    }

    @Test func theClientIsToldWhatWasTried() {
        var attempts = Attempts()
        attempts.begin()
        attempts.failed("a")
        #expect(attempts.told(Self.failure(.providerError)) == Self.failure(.providerError))
        #expect(attempts.countIfSeveral == nil)
        for name in ["a", "b", "a"] {
            attempts.begin()
            attempts.failed(name)
        }
        #expect(attempts.countIfSeveral == 4)
        #expect(attempts.told(Self.failure(.providerError)).message == "no (4 attempts: 3 of 'a', 1 of 'b')")
        let long = Failure(.providerError, String(repeating: "é", count: 1000))
        let told = attempts.told(long).message
        #expect(told.utf8.count <= Failure.maximumMessageLength && told.hasSuffix("é (4 attempts: 3 of 'a', 1 of 'b')"))
    }

    @Test func longNamesOfModelsAreCut() {
        var attempts = Attempts()
        for number in 0..<5 {
            attempts.begin()
            attempts.failed(String(repeating: "m", count: 250) + "\(number)")
        }
        #expect(attempts.told(Self.failure(.providerError)).message.utf8.count < 300)
    }
}
