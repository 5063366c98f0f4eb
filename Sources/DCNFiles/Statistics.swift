package import DCN

/// What a summary says of a tensor of numbers.
package struct Statistics: Sendable, Hashable {
    /// Smallest, mean and greatest of the elements that are numbers; nil when there are none.
    package var range: (least: Double, mean: Double, greatest: Double)?
    /// How many elements are NaN.
    package var nanCount = 0

    /// Looks at every element; both parts of complex ones.
    package init(_ tensor: Tensor) {
        var (least, greatest, sum, count) = (Double.infinity, -Double.infinity, 0.0, 0)
        for number in numbers(rowMajor(tensor)) {
            if number.isNaN {
                nanCount += 1
                continue
            }
            least = min(least, number)
            greatest = max(greatest, number)
            sum += number
            count += 1
        }
        if count > 0 { range = (least, sum / Double(count), greatest) }
    }

    /// Equal numbers.
    package static func == (a: Statistics, b: Statistics) -> Bool {
        a.nanCount == b.nanCount && a.range?.least == b.range?.least && a.range?.mean == b.range?.mean
            && a.range?.greatest == b.range?.greatest
    }

    /// By the count of NaN.
    package func hash(into hasher: inout Hasher) { hasher.combine(nanCount) }
}
