package import DCNGraph

/// Parts along `axis` as a sequence: of input 1's lengths, of its one length (the last part shorter), or of length 1.
package struct SplitToSequence: Operator {
    package static let name = "SplitToSequence"
    /// -rank … rank - 1.
    package var axis: Int
    /// Whether parts of length 1 keep the axis; only where input 1 is left out.
    package var keepsAxis: Bool

    package init(axis: Int = 0, keepsAxis: Bool = true) {
        self.axis = axis
        self.keepsAxis = keepsAxis
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        let split = try inputs.optional(1, "split")
        try split?.expectIndices()
        try split?.expectListOrScalar()
        guard var shape = data.shape else { return [.sequence(.tensor(TensorType(data.element, nil)))] }
        let along = try resolvedAxis(axis, rank: shape.rank)
        if split == nil, !keepsAxis {
            shape.dimensions.remove(at: along)
        } else {
            shape[along] = split == nil ? 1 : .unknown
        }
        return [.sequence(.tensor(TensorType(data.element, shape)))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                guard let tensor = values[0]?.tensor else { throw .missing("input") }
                let along = try resolvedAxis(axis, rank: tensor.extents.count)
                let split = values.count > 1 ? values[1]?.tensor : nil
                let lengths = try lengths(tensor.extents[along], split)
                guard !lengths.isEmpty else {
                    return [.sequence([], of: .tensor(TensorType(tensor.type.element, nil)))]
                }
                try scope.checkpoint()
                let parts = try perform(
                    Split(axis: along), [.tensor(tensor), .tensor(vector(lengths))],
                    outputCount: lengths.count, in: scope)
                return [try sequence(parts.compactMap { $0?.tensor }, along, isSplit: split != nil)]
            })
    }

    private func sequence(_ parts: [Tensor], _ along: Int, isSplit: Bool) throws(Misfit) -> Datum {
        var parts = parts
        if !isSplit, !keepsAxis {
            parts = parts.compactMap { part in
                var extents = part.extents
                extents.remove(at: along)
                return part.reshaped(to: extents)
            }
        }
        guard let first = parts.first else { throw .missing("parts") }
        var type = ValueType.tensor(first.type)
        for part in parts { type = try type.unified(with: .tensor(part.type), name: "parts") }
        return .sequence(DatumList(parts.map(Datum.tensor)), of: type)
    }

    private func lengths(_ extent: Int, _ split: Tensor?) throws(Misfit) -> [Int] {
        let limit = 1 << 24
        guard let split, let given = split.integers else {
            if extent > limit { throw .limit(of: "the number of parts", asked: extent, limit: limit) }
            return Array(repeating: 1, count: extent)
        }
        guard split.extents.isEmpty else {
            let (sum, overflow) = given.reduce((0, false)) { total, next in
                let (sum, overflow) = total.0.addingReportingOverflow(next)
                return (sum, total.1 || overflow)
            }
            guard !overflow, sum == extent, given.allSatisfy({ $0 >= 0 }) else {
                throw .value(of: "split", because: "holds lengths that do not add up to \(extent)")
            }
            return given
        }
        guard given[0] > 0 else { throw .value(of: "split", because: "is \(given[0]), expected 1 or more") }
        let count = extent / given[0] + (extent % given[0] == 0 ? 0 : 1)
        if count > limit { throw .limit(of: "the number of parts", asked: count, limit: limit) }
        return (0..<count).map { min(given[0], extent - $0 * given[0]) }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "SplitToSequence", [("axis", .int(axis)), ("keepdims", .int(keepsAxis ? 1 : 0))], since: 11)
    }
}

/// The elements of a sequence one after another along `axis`, or stacked along a new one.
package struct ConcatFromSequence: Operator {
    package static let name = "ConcatFromSequence"
    /// -rank … rank - 1, of the result where the axis is new.
    package var axis: Int
    /// Whether the axis is new.
    package var addsAxis: Bool

    package init(axis: Int, addsAxis: Bool = false) {
        self.axis = axis
        self.addsAxis = addsAxis
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        guard case .tensor(let type) = try inputs.requiredSequence(0) else {
            throw .kind(of: "input_sequence", expected: "a sequence of tensors", got: "another")
        }
        guard var shape = type.shape else { return [.tensor(TensorType(type.element, nil))] }
        if addsAxis {
            shape.dimensions.insert(.unknown, at: try resolvedAxis(axis, rank: shape.rank + 1))
        } else {
            shape[try resolvedAxis(axis, rank: shape.rank)] = .unknown
        }
        return [.tensor(TensorType(type.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let elements = try values.sequence(0).0
                guard !elements.isEmpty else { throw .value(of: "input_sequence", because: "is empty") }
                guard addsAxis else {
                    return [try performOne(Concat(axis: axis), Array(elements), in: scope)]
                }
                var stacked: [Datum?] = []
                for element in elements { stacked.append(try widened(element)) }
                return [try performOne(Concat(axis: axis), stacked, in: scope)]
            })
    }

    private func widened(_ element: Datum) throws(Misfit) -> Datum {
        guard let tensor = element.tensor else { throw .missing("a tensor in input_sequence") }
        var extents = tensor.extents
        extents.insert(1, at: try resolvedAxis(axis, rank: extents.count + 1))
        guard let wide = tensor.reshaped(to: extents) else { throw .missing("a row-major tensor") }
        return .tensor(wide)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "ConcatFromSequence", [("axis", .int(axis)), ("new_axis", .int(addsAxis ? 1 : 0))], since: 11)
    }
}
