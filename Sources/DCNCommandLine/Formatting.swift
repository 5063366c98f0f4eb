#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A number with about six digits that count.
package func brief(_ number: Double) -> String {
    guard number.isFinite, number != 0 else { return number == 0 ? "0" : "\(number)" }
    let power = 5 - Int(log10(abs(number)).rounded(.down))
    guard abs(power) < 300 else { return "\(number)" }
    let factor = pow(10, Double(abs(power)))
    let rounded = power >= 0 ? (number * factor).rounded() / factor : (number / factor).rounded() * factor
    guard rounded == rounded.rounded(), abs(rounded) < 1e15 else { return "\(rounded)" }
    return "\(Int(rounded))"
}

/// A number with a fixed count of digits after the point.
package func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
    let factor = pow(10, Double(digits))
    let scaled = Int((abs(number) * factor).rounded())
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + "\(scaled)" }
    let text = String(repeating: "0", count: max(0, digits + 1 - "\(scaled)".count)) + "\(scaled)"
    return sign + text.dropLast(digits) + "." + text.suffix(digits)
}

/// Rows of cells as lines with aligned columns; those in `right` are aligned to the right.
package func table(_ rows: [[String]], right: Set<Int> = []) -> [String] {
    var widths: [Int] = []
    for row in rows {
        for (column, cell) in row.enumerated() {
            if column == widths.count { widths.append(0) }
            widths[column] = max(widths[column], cell.count)
        }
    }
    return rows.map { row in
        var line = ""
        for (column, cell) in row.enumerated() {
            let space = String(repeating: " ", count: widths[column] - cell.count)
            line += (column == 0 ? "" : "  ") + (right.contains(column) ? space + cell : cell + space)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
