package import DCNGraph

/// Products of matrices, those of a batch one by one.
///
///     y[m, n] = scale · Σ a[m, k] · b[k, n] + addendScale · addend[m, n]
///
/// then the activation, with `residual` (shape of y) added before it. Batches are broadcast, the addend to y. A vector
/// is a row on the left, a column on the right, and has no such axis in y.
/// A sum over no k is 0. NaN and infinities follow IEEE 754: 0 · ∞ is NaN.
/// Inputs: A […, M, K], B […, K, N], addend?, residual?. Once packed: B in the form `packed` names.
package struct MatMul: Operator {
    package static let name = "MatMul"
    /// A factor of the sums.
    package var scale: Float = 1
    /// A factor of the addend.
    package var addendScale: Float = 1
    /// Whether A is […, K, M].
    package var transposesLeft = false
    /// Whether B is […, N, K].
    package var transposesRight = false
    /// Whether the first axis of A is that of rows, before those of the batch.
    package var movesLeftBatch = false
    /// Whether the first axis of B is that of rows, before those of the batch.
    package var movesRightBatch = false
    /// Whether both operands must have rank 2.
    package var isSingle = false
    /// What is applied to each result.
    package var activation = Activation.none
    /// The form of B, once packed.
    package var packed: PackedMatrix?

    package init() {}

    static let elements: [ElementType] = .floats + [.int32, .int64, .uint32, .uint64]

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "A", rank: isSingle ? 2 : nil)
        let b = try inputs.required(1, "B", rank: isSingle && packed == nil ? 2 : nil)
        try a.expect(Self.elements)
        try b.expectSameElement(as: a)
        guard activation == .none || a.element.isFloat || activation.function == .relu && a.element.isSigned
        else {
            throw .unsupported("activations of \(a.element)")
        }
        for (index, name) in [(2, "addend"), (3, "residual")] {
            try inputs.optional(index, name)?.expectSameElement(as: a)
        }
        guard let left = a.shape, let right = try rightShape(b) else {
            let isKnownPair = isSingle || (a.rank ?? 0 > 1 && a.rank == b.rank)
            let rank = isSingle ? 2 : isKnownPair ? a.rank : nil
            return [.tensor(TensorType(a.element, rank.map { Shape(Array(repeating: .unknown, count: $0)) }))]
        }
        let shape = try product(left, right)
        try expectAddend(inputs, shape)
        return [.tensor(TensorType(a.element, shape))]
    }

    private func rightShape(_ b: Operand) throws(Misfit) -> Shape? {
        guard let packed else { return b.shape }
        guard packed.extents.count >= 2, elementCount(of: packed.extents) != nil else {
            throw .attribute("packed", because: "has extents \(packed.extents)")
        }
        return Shape(packed.extents)
    }

    func leftAxes(rank: Int) -> MatrixAxes {
        MatrixAxes(rank: rank, transposes: transposesLeft, movesBatch: movesLeftBatch, isRight: false)
    }

    func rightAxes(rank: Int) -> MatrixAxes {
        MatrixAxes(rank: rank, transposes: transposesRight, movesBatch: movesRightBatch, isRight: true)
    }

    private func product(_ left: Shape, _ right: Shape) throws(Misfit) -> Shape {
        for (name, shape) in [("A", left), ("B", right)] where shape.rank == 0 {
            throw .rank(of: name, expected: "at least 1", got: 0)
        }
        let a = leftAxes(rank: left.rank)
        let b = rightAxes(rank: right.rank)
        let inner = a.column ?? 0
        let other = b.row ?? 0
        if let first = left[inner].fixed, let second = right[other].fixed, first != second {
            throw .extent(
                of: "B", axis: other, expected: "\(first)", got: "\(second)", because: "axis \(inner) of A")
        }
        var batch = try joinedBatch(a.batch.map { left[$0] }, b.batch.map { right[$0] })
        if let row = a.row { batch.append(left[row]) }
        if let column = b.column { batch.append(right[column]) }
        return Shape(batch)
    }

    private func joinedBatch(_ left: [Dimension], _ right: [Dimension]) throws(Misfit) -> [Dimension] {
        let rank = max(left.count, right.count)
        let a = Array(repeating: Dimension.fixed(1), count: rank - left.count) + left
        let b = Array(repeating: Dimension.fixed(1), count: rank - right.count) + right
        var result: [Dimension] = []
        for axis in 0..<rank {
            guard let joined = join(a[axis], b[axis]) else {
                throw .extent(
                    of: "B", axis: axis - rank + right.count, expected: "1 or \(a[axis])", got: "\(b[axis])",
                    because: "batches are broadcast")
            }
            result.append(joined)
        }
        return result
    }

    private func expectAddend(_ inputs: Inputs, _ shape: Shape) throws(Misfit) {
        if let addend = try inputs.optional(2, "addend"), let own = addend.shape {
            guard own.rank <= shape.rank else {
                throw .rank(of: "addend", expected: "at most \(shape.rank)", got: own.rank)
            }
            for axis in 0..<own.rank where own[axis] != 1 {
                try addend.expect(
                    shape[shape.rank - own.rank + axis], along: axis,
                    because: "it is broadcast to the product")
            }
        }
        if let residual = try inputs.optional(3, "residual", rank: shape.rank) {
            for axis in 0..<shape.rank {
                try residual.expect(shape[axis], along: axis, because: "as the product")
            }
        }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let geometry = try MatMulGeometry(self, call)
        let element = try call.input(0).element
        if element == .float32 { return .kernel(try MatMulKernel(self, geometry, call)) }
        guard packed == nil else { throw .unsupported("a packed product on \(element)") }
        if activation != .none { return .routine(activated(geometry.hasResidual)) }
        let plain = PlainMatMul(self, geometry, call)
        switch element {
        case .float64: return .kernel(plain.kernel(Double.self))
        case .int32: return .kernel(plain.kernel(Int32.self))
        case .int64: return .kernel(plain.kernel(Int64.self))
        case .uint32: return .kernel(plain.kernel(UInt32.self))
        case .uint64: return .kernel(plain.kernel(UInt64.self))
        default: throw noKernel("MatMul", for: element)
        }
    }

    /// The product without what comes after it, then that.
    private func activated(_ hasResidual: Bool) -> ValueRoutine {
        var product = self
        product.activation = .none
        let (plain, activation) = (product, activation)
        return ValueRoutine { (inputs, scope) throws(Misfit) in
            let sums = try performOne(plain, Array(inputs.prefix(3)), in: scope)
            return [try activation.finished(sums, residual: hasResidual ? inputs[3] : nil, in: scope)]
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard let a = inputs[0]?.tensor?.extents, !a.isEmpty, let column = leftAxes(rank: a.count).column,
            let count = outputs[0]?.tensor?.elementCount
        else { return 0 }
        return count.multipliedReportingOverflow(by: a[column]).partialValue
    }
}
