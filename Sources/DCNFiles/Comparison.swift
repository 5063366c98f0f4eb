public import DCN

/// How far a value may be from what was expected: |got − expected| ≤ atol + rtol · |expected|.
public struct Tolerance: Sendable, Hashable {
    /// The part that grows with the expected value.
    public var relative: Double
    /// The part that does not.
    public var absolute: Double

    /// A tolerance; the defaults are those of the ONNX backend tests.
    public init(relative: Double = 1e-3, absolute: Double = 1e-7) {
        self.relative = relative
        self.absolute = absolute
    }
}

/// What a comparison of two values found.
public struct Comparison: Sendable, Hashable {
    /// Whether they match.
    public var matches: Bool
    /// Why not, or how large the largest difference is.
    public var detail: String
}

/// Compares a value with what was expected: types and shapes are the same, NaN equals NaN, strings are equal.
public func compare(_ got: Datum, with expected: Datum, _ tolerance: Tolerance) -> Comparison {
    switch (got, expected) {
    case (.tensor(let got), .tensor(let expected)): return compare(got, expected, tolerance)
    case (.sequence(let got, _), .sequence(let expected, _)):
        guard got.count == expected.count else {
            return Comparison(matches: false, detail: "holds \(got.count) values, expected \(expected.count)")
        }
        return first(zip(got, expected).map { compare($0, with: $1, tolerance) })
    case (.optional(let got, _), .optional(let expected, _)):
        switch (got, expected) {
        case (nil, nil): return Comparison(matches: true, detail: "both empty")
        case (.some(let got), .some(let expected)): return compare(got, with: expected, tolerance)
        default: return Comparison(matches: false, detail: "one is empty, the other is not")
        }
    case (.optional(.some(let got), _), _): return compare(got, with: expected, tolerance)
    case (_, .optional(.some(let expected), _)): return compare(got, with: expected, tolerance)
    default: return Comparison(matches: false, detail: "is \(got.type), expected \(expected.type)")
    }
}

private func first(_ comparisons: [Comparison]) -> Comparison {
    comparisons.first { !$0.matches } ?? Comparison(matches: true, detail: "\(comparisons.count) values")
}

private func compare(_ got: Tensor, _ expected: Tensor, _ tolerance: Tolerance) -> Comparison {
    guard got.type.element == expected.type.element, got.extents == expected.extents else {
        return Comparison(matches: false, detail: "is \(got.type), expected \(expected.type)")
    }
    if got.type.element == .string { return compareStrings(got, expected) }
    let relative =
        got.type.element == .bfloat16 ? max(tolerance.relative, 0x1p-6) : tolerance.relative
    let (a, b) = (numbers(got), numbers(expected))
    var worst = 0.0
    for index in a.indices {
        if a[index] == b[index] || (a[index].isNaN && b[index].isNaN) { continue }
        let difference = abs(a[index] - b[index])
        guard difference <= tolerance.absolute + relative * abs(b[index]) else {
            return Comparison(matches: false, detail: "element \(index) is \(a[index]), expected \(b[index])")
        }
        worst = max(worst, difference)
    }
    return Comparison(matches: true, detail: "max difference \(worst)")
}

private func compareStrings(_ got: Tensor, _ expected: Tensor) -> Comparison {
    let (a, b) = (got.byteStrings, expected.byteStrings)
    guard let index = a.indices.first(where: { a[$0] != b[$0] }) else {
        return Comparison(matches: true, detail: "\(a.count) strings")
    }
    return Comparison(
        matches: false,
        detail: "element \(index) is '\(escaped(a[index].text))', expected '\(escaped(b[index].text))'")
}
