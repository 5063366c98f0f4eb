package import DCNGraph

/// Rounding to a number of levels, and back (OpenVINO's FakeQuantize).
///
///     y = first, x ≤ min(low, high);   last, x > max(low, high);
///         round((x − low) / (high − low) · (levels − 1)) / (levels − 1) · (last − first) + first, between
///
/// Inputs: x, low, high, first, last, broadcast to x; halves are rounded to even. NaN stays.
package struct FakeQuantize: Composite {
    package static let name = "FakeQuantize"
    /// How many values there are, ends included.
    package var levels: Int

    package init(levels: Int) { self.levels = levels }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "data")
        try x.expect(ElementType.reals + [.float16, .bfloat16])
        for (index, name) in ["input_low", "input_high", "output_low", "output_high"].enumerated() {
            let bound = try inputs.required(index + 1, name)
            try bound.expectSameElement(as: x)
            if let shape = x.shape, let own = bound.shape {
                guard own.rank <= shape.rank else {
                    throw .rank(of: name, expected: "at most \(shape.rank)", got: own.rank)
                }
                for axis in 0..<own.rank where own[axis] != 1 {
                    try bound.expect(
                        shape[shape.rank - own.rank + axis], along: axis, because: "1, or as data")
                }
            }
        }
        guard (2...(1 << 24)).contains(levels) else {
            throw .attribute("levels", because: "is \(levels), expected 2 … \(1 << 24)")
        }
        return [.tensor(x.type)]
    }
}
