/// How large one value may be said to be, by a file or by what an operator makes of it.
///
/// These bound descriptions, not memory: with them, any product of extents of one value and the sum of the bytes of all
/// values of a graph fit an integer. What memory a run may take is a matter of `Options.memoryLimit`.
public enum ValueLimits {
    /// Axes of a tensor.
    public static let rank = 64
    /// The product of all extents of a tensor that are not zero.
    public static let elementCount = 1 << 38
    /// Sequences and optional values within one another.
    public static let nesting = 16
}

extension ValueType {
    /// Throws unless the extents that are known are within `ValueLimits` and none is negative.
    package func expectBounded(_ name: String) throws(Misfit) {
        var type = self
        for _ in 0..<ValueLimits.nesting {
            switch type {
            case .tensor(let tensor): return try tensor.expectBounded(name)
            case .sequence(let element), .optional(let element): type = element
            }
        }
        throw .limit(
            of: "the nesting of the type of \(name)", asked: ValueLimits.nesting + 1,
            limit: ValueLimits.nesting)
    }
}

extension TensorType {
    fileprivate func expectBounded(_ name: String) throws(Misfit) {
        guard let dimensions = shape?.dimensions else { return }
        guard dimensions.count <= ValueLimits.rank else {
            throw .limit(of: "the rank of \(name)", asked: dimensions.count, limit: ValueLimits.rank)
        }
        var count = 1
        for (axis, dimension) in dimensions.enumerated() {
            guard let extent = dimension.fixed, extent != 0 else { continue }
            guard extent > 0 else {
                throw .extent(of: name, axis: axis, expected: "0 or more", got: "\(extent)", because: "")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= ValueLimits.elementCount else {
                throw .limit(
                    of: "the number of elements of \(name)", asked: overflow ? Int.max : product,
                    limit: ValueLimits.elementCount)
            }
            count = product
        }
    }
}

extension TensorType {
    /// The bytes there would be if no extent were zero: tables made along an axis follow from these.
    package var widestByteCount: Int? {
        guard let stored = storedExtents else { return nil }
        return TensorType(element, extents: stored.map { $0 == 0 ? 1 : $0 }).byteCount
    }

    /// Throws when the type, or tables made for it, would take more than `limit` bytes.
    package func expectRoom(_ name: String, limit: Int) throws(Misfit) {
        guard let bytes = widestByteCount, bytes > limit else { return }
        throw .limit(of: name, asked: bytes, limit: limit)
    }
}

extension Operator {
    /// The types of all outputs, operands and outputs held to `ValueLimits`.
    package func boundedOutputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        for (index, type) in inputs.types.enumerated() { try type?.expectBounded("input \(index)") }
        let types = try outputTypes(for: inputs)
        for (index, type) in types.enumerated() { try type.expectBounded("output \(index)") }
        return types
    }
}
