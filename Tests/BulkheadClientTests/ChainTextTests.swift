import BulkheadClient
import Testing

struct ChainTextTests {
    /// The text of rounds, each given in pieces.
    private func text(_ rounds: [[String]]) -> String {
        var (text, whole) = (ChainText(), "")
        for (number, pieces) in rounds.enumerated() {
            for piece in pieces { whole += text.next(.text(piece)) }
            whole += text.next(number == rounds.count - 1 ? .done(.init()) : .round(.init(), pending: []))
        }
        return whole
    }

    @Test(arguments: [
        ([["a"], ["b"]], "a b"), ([["a "], ["b"]], "a b"), ([["a"], ["\nb"]], "a\nb"),
        ([["a", ""], ["", "b"]], "a b"),
        ([["a"], [], ["b"]], "a b"), ([[], ["a", "b"]], "ab"), ([["a"], ["b", "c"], ["d"]], "a bc d"),
    ])
    func roundsAreJoinedByOneSpaceWhereNeitherHasOne(rounds: [[String]], expected: String) {
        #expect(self.text(rounds) == expected)
    }

    @Test func usageIsAddedMemberByMember() {
        let one = Usage(input: 1, output: nil, details: Array(#"{"cached":1,"by":{"a":1},"tier":"x"}"#.utf8))
        let other = Usage(input: 2, output: 3, details: Array(#"{"cached":2,"by":{"b":2},"tier":"y"}"#.utf8))
        #expect(
            one.adding(other)
                == Usage(
                    input: 3, output: 3, details: Array(#"{"cached":3,"by":{"a":1,"b":2},"tier":"y"}"#.utf8)))
        #expect(one.adding(Usage(input: nil, output: nil)) == one)
    }
}
