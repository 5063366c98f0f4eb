/// How large one value may be said to be, by a file or by what an operator makes of it.
///
/// These bound descriptions, not memory: with them, any product of extents of one value and the sum of the bytes of all
/// values of a graph fit an integer. So they can be lowered, not raised. `memoryLimit` does not lower them: a value meets
/// it when it is to be computed, and one that a rewrite takes away takes no memory.
public struct ValueLimits: Sendable, Hashable {
    /// Axes of a tensor.
    public var rank = 64 { didSet { rank = min(max(rank, 0), 64) } }
    /// The product of all extents of a tensor that are not zero.
    public var elementCount = 1 << 38 { didSet { elementCount = min(max(elementCount, 0), 1 << 38) } }
    /// Sequences and optional values within one another, the tensor within them counted.
    public var nesting = 16 { didSet { nesting = min(max(nesting, 1), 16) } }

    /// The highest limits, which hold unless said otherwise.
    public init() {}
}

extension ValueType {
    /// Throws unless the extents that are known are within limits and none is negative.
    package func expectBounded(_ name: String, by limits: ValueLimits) throws(Misfit) {
        var type = self
        for _ in 0..<limits.nesting {
            switch type {
            case .tensor(let tensor): return try tensor.expectBounded(name, by: limits)
            case .sequence(let element), .optional(let element): type = element
            }
        }
        throw .limit(
            of: "the nesting of the type of \(name)", asked: limits.nesting + 1, limit: limits.nesting)
    }
}

extension TensorType {
    fileprivate func expectBounded(_ name: String, by limits: ValueLimits) throws(Misfit) {
        guard let dimensions = shape?.dimensions else { return }
        guard dimensions.count <= limits.rank else {
            throw .limit(of: "the rank of \(name)", asked: dimensions.count, limit: limits.rank)
        }
        var count = 1
        for (axis, dimension) in dimensions.enumerated() {
            guard let extent = dimension.fixed, extent != 0 else { continue }
            guard extent > 0 else {
                throw .extent(of: name, axis: axis, expected: "0 or more", got: "\(extent)", because: "")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= limits.elementCount else {
                throw .limit(
                    of: "the number of elements of \(name)", asked: overflow ? Int.max : product,
                    limit: limits.elementCount)
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
    /// The types of all outputs, operands and outputs held to limits.
    package func boundedOutputTypes(
        for inputs: Inputs, within limits: ValueLimits = ValueLimits()
    ) throws(Misfit) -> [ValueType] {
        for (index, type) in inputs.types.enumerated() {
            try type?.expectBounded("input \(index)", by: limits)
        }
        let types = try outputTypes(for: inputs)
        for (index, type) in types.enumerated() { try type.expectBounded("output \(index)", by: limits) }
        return types
    }
}
