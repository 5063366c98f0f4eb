internal import DCNGraph

extension Dimension {
    /// The product of extents, where it can be told.
    static func product(_ factors: some Sequence<Dimension>) -> Dimension {
        var number = 1
        var others: [Dimension] = []
        for factor in factors {
            guard let extent = factor.fixed else {
                others.append(factor)
                continue
            }
            if extent == 0 { return .fixed(0) }
            let (product, overflow) = number.multipliedReportingOverflow(by: extent)
            if overflow { return .unknown }
            number = product
        }
        if others.isEmpty { return .fixed(number) }
        return others.count == 1 && number == 1 ? others[0] : .unknown
    }

    /// The sum of extents, where it can be told.
    static func sum(_ terms: some Sequence<Dimension>) -> Dimension {
        var number = 0
        var other: Dimension?
        for term in terms {
            guard let extent = term.fixed else {
                if other != nil { return .unknown }
                other = term
                continue
            }
            let (sum, overflow) = number.addingReportingOverflow(extent)
            if overflow { return .unknown }
            number = sum
        }
        guard let other else { return .fixed(number) }
        return number == 0 ? other : .unknown
    }

    /// What is known of an extent that is one of two.
    func unified(with other: Dimension) -> Dimension { self == other ? self : .unknown }

    /// What is known of an extent that is both.
    func refined(by other: Dimension) -> Dimension {
        if fixed != nil { return self }
        if other.fixed != nil { return other }
        if case .unknown = self { return other }
        return self
    }
}

extension Shape {
    /// So many extents of which nothing is known.
    static func unknown(rank: Int) -> Shape { Shape([Dimension](repeating: .unknown, count: rank)) }
}

extension ValueType {
    /// What is known of a value that has one of two types.
    func unified(with other: ValueType, name: String) throws(Misfit) -> ValueType {
        switch (self, other) {
        case (.tensor(let left), .tensor(let right)):
            guard left.element == right.element else {
                throw .element(of: name, expected: "\(left.element)", got: right.element)
            }
            return .tensor(TensorType(left.element, left.shape.unified(with: right.shape)))
        case (.sequence(let left), .sequence(let right)):
            return .sequence(try left.unified(with: right, name: name))
        case (.optional(let left), .optional(let right)):
            return .optional(try left.unified(with: right, name: name))
        default: throw .kind(of: name, expected: "\(self)", got: "\(other)")
        }
    }

    /// The type without extents.
    var loosened: ValueType {
        switch self {
        case .tensor(let type): .tensor(TensorType(type.element, nil))
        case .sequence(let element): .sequence(element.loosened)
        case .optional(let element): .optional(element.loosened)
        }
    }
}

extension Shape? {
    /// What is known of a shape that is one of two.
    func unified(with other: Shape?) -> Shape? {
        guard let left = self, let right = other, left.rank == right.rank else { return nil }
        return Shape(zip(left.dimensions, right.dimensions).map { $0.unified(with: $1) })
    }
}

extension Operand {
    /// How many numbers a rank-1 operand holds, where known; a rank-0 one holds one.
    var length: Int? {
        if let dimensions { return dimensions.count }
        guard let shape else { return nil }
        return shape.rank == 0 ? 1 : shape[0].fixed
    }

    /// `length` where the numbers are one for each axis of a tensor; throws when there can be no such tensor.
    func axisCount() throws(Misfit) -> Int? {
        guard let length else { return nil }
        let limit = ValueLimits().rank
        guard length <= limit else {
            throw .limit(of: "the number of axes that \(name) describes", asked: length, limit: limit)
        }
        return length
    }

    /// Throws unless the operand holds int32 or int64.
    func expectIndices() throws(Misfit) { try expect([.int64, .int32]) }

    /// Throws unless the rank is 0 or 1 or unknown.
    func expectListOrScalar() throws(Misfit) {
        guard let rank, rank > 1 else { return }
        throw .rank(of: name, expected: "0 or 1", got: rank)
    }

    /// The one integer of a scalar operand (or one of one element), when known.
    func scalar() throws(Misfit) -> Int? {
        guard let integers else { return nil }
        guard integers.count == 1 else {
            throw .value(of: name, because: "holds \(integers.count) numbers, expected 1")
        }
        return integers[0]
    }
}

/// Axes counted from the front; each may stand there once.
func resolvedAxes(_ axes: [Int], rank: Int, name: String = "axes") throws(Misfit) -> [Int] {
    var resolved: [Int] = []
    for axis in axes {
        let index = try resolvedAxis(axis, rank: rank, name: name)
        guard !resolved.contains(index) else { throw .attribute(name, because: "names axis \(axis) twice") }
        resolved.append(index)
    }
    return resolved
}

/// An int64 tensor of rank 1, as an operand that a spelling adds.
func vector(_ integers: [Int]) -> Tensor { Tensor(vector: integers.map(Int64.init)) }

/// Where the elements of a box lie that is walked in row-major order: `start + Σ index · stride`.
func positions(_ extents: [Int], strides: [Int], from start: Int = 0) -> [Int] {
    zip(extents, strides).reduce([start]) { places, axis in
        places.flatMap { place in (0..<axis.0).map { place + $0 * axis.1 } }
    }
}
