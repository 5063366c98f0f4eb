package import DCNGraph

/// The same elements under other extents: inputs data, shape. In `shape` one -1 is inferred, and 0 keeps the input's
/// extent unless `allowZero`.
package struct Reshape: ViewOperator {
    package static let name = "Reshape"
    /// Whether 0 in `shape` is an extent of its own.
    package var allowZero: Bool

    package init(allowZero: Bool = false) { self.allowZero = allowZero }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let shape = try inputs.required(1, "shape", rank: 1)
        try shape.expect([.int64])
        guard let wanted = shape.dimensions else {
            let rank = try shape.axisCount()
            return [.tensor(TensorType(data.element, rank.map { Shape.unknown(rank: $0) }))]
        }
        return [.tensor(TensorType(data.element, try resolved(wanted, data.shape)))]
    }

    private func resolved(_ wanted: [Dimension], _ shape: Shape?) throws(Misfit) -> Shape {
        var result: [Dimension] = []
        var inferred: Int?
        for (axis, dimension) in wanted.enumerated() {
            switch dimension.fixed {
            case -1:
                guard inferred == nil else { throw .value(of: "shape", because: "has more than one -1") }
                inferred = axis
                result.append(.unknown)
            case 0 where !allowZero:
                if let shape, axis >= shape.rank {
                    throw .value(of: "shape", because: "has 0 at \(axis), but data has rank \(shape.rank)")
                }
                result.append(shape?[axis] ?? .unknown)
            case .some(let extent) where extent < 0:
                throw .value(of: "shape", because: "has \(extent) at \(axis), expected -1 or more")
            default: result.append(dimension)
            }
        }
        guard let shape else { return Shape(result) }
        if let inferred {
            let others = result.indices.filter { $0 != inferred }.map { result[$0] }
            result[inferred] = try quotient(shape.dimensions, others, shape, wanted)
        }
        try checkCount(shape, Shape(result))
        return Shape(result)
    }

    /// The extent that makes `others` times it the count of `dimensions`; symbols on both sides cancel.
    private func quotient(
        _ dimensions: [Dimension], _ others: [Dimension], _ shape: Shape, _ wanted: [Dimension]
    ) throws(Misfit) -> Dimension {
        var above = dimensions.filter { $0.fixed == nil }
        var below: [Dimension] = []
        for other in others where other.fixed == nil {
            if other != .unknown, let match = above.firstIndex(of: other) {
                above.remove(at: match)
            } else {
                below.append(other)
            }
        }
        let numerator = elementCount(of: dimensions.compactMap(\.fixed))
        let denominator = elementCount(of: others.compactMap(\.fixed))
        guard let numerator, let denominator else { return .unknown }
        if numerator == 0 && above.isEmpty && below.isEmpty && denominator == 0 {
            throw .value(of: "shape", because: "has -1 beside 0, which leaves it open")
        }
        guard below.isEmpty, denominator > 0 else { return .unknown }
        if above.isEmpty {
            guard numerator % denominator == 0 else { throw mismatch(shape, "\(Shape(wanted))") }
            return .fixed(numerator / denominator)
        }
        return above.count == 1 && numerator == denominator ? above[0] : .unknown
    }

    private func checkCount(_ old: Shape, _ new: Shape) throws(Misfit) {
        guard let from = old.fixed, let to = new.fixed, elementCount(of: from) != elementCount(of: to) else {
            return
        }
        throw mismatch(old, "\(new)")
    }

    private func mismatch(_ old: Shape, _ new: String) -> Misfit {
        .value(of: "shape", because: "is \(new), which cannot hold the elements of data \(old)")
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] { [inputs.knownList(0)] }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        allowZero ? WrittenNode("Reshape", [("allowzero", .int(1))], since: 14) : WrittenNode("Reshape")
    }
}

extension Inputs {
    /// The integers of input `index` as far as they are known.
    func knownList(_ index: Int) -> [Dimension]? {
        guard index < types.count else { return nil }
        if let known = knownDimensions[index] { return known }
        guard let constant = constants[index]?.tensor, constant.type.element.isInteger, constant.count <= 64
        else {
            return nil
        }
        return constant.integers.map { $0.map(Dimension.fixed) }
    }

    /// The extents of input `index`, when they are known and hold `count` elements.
    func knownExtents(_ index: Int, count: Int) -> [Int]? {
        guard let extents = index < types.count ? types[index]?.tensor?.extents : nil else { return nil }
        return elementCount(of: extents) == count ? extents : nil
    }

    /// The rank of input `index`, when known.
    func knownRank(_ index: Int) -> Int? { index < types.count ? types[index]?.tensor?.shape?.rank : nil }
}
