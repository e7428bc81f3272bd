/// Rows of cells as lines for people.
struct TextTable {
    private var rows: [[String]]

    init(header: [String]) { self.rows = [header] }

    /// Adds a row; cells that it lacks are empty.
    mutating func add(_ cells: [String]) { self.rows.append(cells) }

    /// Each column as wide as its widest cell: the first one to the left, the others, which are numbers, to the right.
    var text: String {
        let columns = self.rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            self.rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return self.rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + padding : "  " + padding + cell
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

/// Numbers as text, the same everywhere.
enum Decimal {
    /// `value` with so many digits behind the point, rounded; a number that is none is written as `-`.
    static func text(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value.magnitude * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    /// A whole number with its thousands apart: `12,345`.
    static func grouped(_ value: Double) -> String {
        let digits = Array(Self.text(value, places: 0))
        var text = ""
        for (index, digit) in digits.enumerated() {
            let left = digits.count - index
            if index > 0, left % 3 == 0, digits[index - 1] != "-" { text += "," }
            text.append(digit)
        }
        return text
    }
}
