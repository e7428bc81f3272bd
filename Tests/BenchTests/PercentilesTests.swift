import Testing

@testable import bulkhead_bench

@Suite struct PercentilesTests {
    @Test func aPercentileIsTheSampleOfItsRank() throws {
        let percentiles = try #require(Percentiles((1...1_000).reversed()))
        #expect(percentiles.p50 == 500)
        #expect(percentiles.p99 == 990)
        #expect(percentiles.p999 == 999)
        #expect(percentiles.maximum == 1_000)
    }

    @Test func nothingIsInterpolatedBetweenFewSamples() throws {
        let percentiles = try #require(Percentiles([7, 3]))
        #expect(percentiles.p50 == 3)
        #expect(percentiles.p99 == 7)
        #expect(percentiles.p999 == 7)
    }

    @Test func oneSampleIsEveryPercentile() throws {
        let percentiles = try #require(Percentiles([42]))
        #expect([percentiles.p50, percentiles.p99, percentiles.p999, percentiles.maximum] == [42, 42, 42, 42])
    }

    @Test func withoutSamplesThereIsNoDistribution() { #expect(Percentiles([]) == nil) }
}
