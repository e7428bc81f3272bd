import JSON

/// What a row of `op: logs` says of a prompt.
struct PromptContents {
    var text = BoundedText(bound: LogRowBuilder.textBound)
    var attachments = BoundedList(maximumNodes: LogRowBuilder.jsonNodes / 4)
    var results = BoundedList(maximumNodes: LogRowBuilder.jsonNodes / 4)
    /// Why it is not whole.
    var problems: [String] = []

    var isCut: Bool { self.text.isCut || self.attachments.isCut || self.results.isCut }
    var nodes: Int { self.attachments.nodes + self.results.nodes }
}

/// What a row of `op: logs` says of an answer.
struct AnswerContents {
    var text = BoundedText(bound: LogRowBuilder.textBound)
    var reasoning = BoundedText(bound: LogRowBuilder.textBound)
    var calls = BoundedList(maximumNodes: LogRowBuilder.jsonNodes)
    var results = BoundedList(maximumNodes: LogRowBuilder.jsonNodes / 4)
    /// Why it is not whole.
    var problems: [String] = []

    var isCut: Bool { self.text.isCut || self.reasoning.isCut || self.calls.isCut || self.results.isCut }
    var nodes: Int { self.calls.nodes + self.results.nodes }
}

/// JSON objects up to a bound of bytes and one of values; what is beyond is left out.
struct BoundedList {
    private(set) var elements: [[UInt8]] = []
    private(set) var nodes = 0
    /// Whether something was left out.
    var isCut = false
    private var bytes = 0
    private let maximumNodes: Int

    init(maximumNodes: Int) { self.maximumNodes = maximumNodes }

    var isEmpty: Bool { self.elements.isEmpty }

    mutating func append(_ value: JSONValue) {
        let encoded = value.serialized()
        let nodes = value.nodeCount
        guard self.bytes + encoded.count <= LogRowBuilder.jsonBound, self.nodes + nodes <= self.maximumNodes else {
            self.isCut = true
            return
        }
        self.elements.append(encoded)
        self.bytes += encoded.count
        self.nodes += nodes
    }
}
