import JSON
import Messages

/// The vectors of `echo-embed`: how many characters each of the first sixteen words of a text has, and 0 where there are
/// fewer words. The tests of llm have a model that does the same.
///
/// Its one option is `dimensions`, 1 to 16: how many of the numbers are wanted.
struct EchoEmbeddings {
    private static let maximumDimensions = 16
    private var dimensions = Self.maximumDimensions

    init(_ options: [JSONValue.Member]) throws(RequestEnd) {
        for option in options where !option.value.isNull {
            guard option.name == "dimensions" else {
                throw .failed(
                    .invalidOptions,
                    "option '\(option.name.truncated(toUTF8Length: 64))' is not known. Valid options: dimensions")
            }
            guard let dimensions = option.value.integer, (1...Self.maximumDimensions).contains(dimensions) else {
                throw .failed(
                    .invalidOptions,
                    "option 'dimensions' must be an integer from 1 to \(Self.maximumDimensions)")
            }
            self.dimensions = dimensions
        }
    }

    func vector(_ text: String) -> [UInt8] {
        let lengths = text.pythonWordLengths(atMost: self.dimensions)
        let numbers = lengths + Array(repeating: 0, count: self.dimensions - lengths.count)
        return Array("[\(numbers.map(String.init).joined(separator: ","))]".utf8)
    }
}

extension String {
    /// `[len(word) for word in text.split()[:count]]`
    fileprivate func pythonWordLengths(atMost count: Int) -> [Int] {
        var lengths: [Int] = []
        var isInWord = false
        for scalar in self.unicodeScalars {
            if scalar.isPythonSpace {
                isInWord = false
            } else if isInWord {
                lengths[lengths.count - 1] += 1
            } else {
                guard lengths.count < count else { return lengths }
                lengths.append(1)
                isInWord = true
            }
        }
        return lengths
    }
}
