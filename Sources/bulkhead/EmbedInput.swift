/// The texts that are to be embedded, each read when its turn comes: those of `-c`, and then files, each whole or line by line.
struct EmbedInput {
    private var texts: ArraySlice<String>
    private var files: ArraySlice<String>
    private let isByLines: Bool
    private let bound: Int
    /// The file that is being read by lines.
    private var lines: LineReader?
    /// A text that was read and did not fit the batch before.
    private var held: String?

    init(texts: [String], files: [String], isByLines: Bool, bound: Int) {
        self.texts = texts[...]
        self.files = files[...]
        self.isByLines = isByLines
        self.bound = bound
    }

    /// The next text; `nil` after the last.
    private mutating func next() throws(InputError) -> String? {
        if let text = self.held.take() { return text }
        if let text = self.texts.popFirst() { return text }
        while true {
            if let line = try self.lines?.next() { return line }
            self.lines = nil
            guard let path = self.files.popFirst() else { return nil }
            let file = InputFile(path: path)
            guard self.isByLines else { return try file.readText(bound: self.bound) }
            self.lines = try LineReader(file, bound: self.bound)
        }
    }

    /// The next texts: at most `count`, and as many as `bytes` bytes of UTF-8 hold, but one at least; none after the last.
    mutating func next(_ count: Int, bytes: Int) throws(InputError) -> [String] {
        var batch: [String] = []
        var length = 0
        while batch.count < count, let text = try self.next() {
            length += text.utf8.count
            guard batch.isEmpty || length <= bytes else {
                self.held = text
                break
            }
            batch.append(text)
        }
        return batch
    }
}
