import Messages
import Testing

struct ULIDTests {
    /// Gives the numbers it was told to give, again and again.
    private struct FixedGenerator: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { self.value }
    }

    @Test func theTimeComesFirst() {
        var generator = ULIDGenerator()
        var random = FixedGenerator(value: 0)
        // The example of the ULID specification: 1469918176385 is 01ARYZ6S41.
        #expect(generator.next(atMilliseconds: 1_469_918_176_385, using: &random).description.hasPrefix("01aryz6s41"))
    }

    @Test func idsGrowStrictlyWhateverTheClockDoes() {
        var generator = ULIDGenerator()
        var random = SystemRandomNumberGenerator()
        var previous = ""
        for time in [5, 5, 5, 4, 0, 6, 6, 1_700_000_000_000, 1, 1] as [UInt64] {
            let ulid = generator.next(atMilliseconds: time, using: &random).description
            #expect(ulid > previous)
            #expect(ULID(ulid)?.description == ulid)
            previous = ulid
        }
    }

    @Test func aCarryRunsIntoTheHigherBits() {
        var generator = ULIDGenerator()
        var random = FixedGenerator(value: .max)
        let first = generator.next(atMilliseconds: 1, using: &random)
        let second = generator.next(atMilliseconds: 1, using: &random)
        #expect(second.description > first.description)
        #expect(second.description.hasSuffix("0000000000000"))
    }

    @Test(arguments: [
        "", "01k9x3g6ncw7jv0q8r6m2t5y4", "01K9X3G6NCW7JV0Q8R6M2T5Y4B", "81k9x3g6ncw7jv0q8r6m2t5y4b",
        "01k9x3g6ncw7jv0q8r6m2t5y4u", "01k9x3g6ncw7jv0q8r6m2t5yé",
    ])
    func aTextThatIsNoneIsRefused(_ text: String) {
        #expect(ULID(text) == nil)
    }
}
