package import DCNGraph

/// The different elements (or slices along `axis`), with the first place, the place among the results, and the count
/// of each, int64. NaNs are equal.
package struct Unique: Operator {
    package static let name = "Unique"
    /// -rank … rank - 1; nil flattens.
    package var axis: Int?
    /// Ascending; else in order of first appearance.
    package var isSorted: Bool

    package init(axis: Int? = nil, isSorted: Bool = true) {
        self.axis = axis
        self.isSorted = isSorted
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "X")
        guard !data.element.isPacked else {
            throw .element(of: "X", expected: "elements of whole bytes", got: data.element)
        }
        let list = ValueType.tensor(TensorType(.int64, [.unknown]))
        var values: Shape? = [.unknown]
        var inverse = list
        if let axis {
            values = data.shape
            if let rank = data.rank {
                let along = try resolvedAxis(axis, rank: rank)
                values?[along] = .unknown
                inverse = .tensor(TensorType(.int64, Shape([data.dimension(along)])))
            }
        } else if let shape = data.shape {
            inverse = .tensor(TensorType(.int64, Shape([.product(shape.dimensions)])))
        }
        return Array(
            [.tensor(TensorType(data.element, values)), list, inverse, list].prefix(
                max(1, inputs.outputCount)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let count = call.outputs.count
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                guard let tensor = values[0]?.tensor else { throw .missing("X") }
                return Array(try results(tensor, scope).prefix(max(1, count)))
            })
    }

    private func results(_ tensor: Tensor, _ scope: any Scope) throws(Misfit) -> [Datum?] {
        let groups = try groups(tensor)
        let firsts = Tensor(vector: groups.firsts.map(Int64.init))
        let flat = axis == nil ? tensor.reshaped(to: [tensor.count]) ?? tensor : tensor
        let chosen = try performOne(Gather(axis: axis ?? 0), [.tensor(flat), .tensor(firsts)], in: scope)
        return [
            chosen, .tensor(firsts), .tensor(Tensor(vector: groups.inverse.map(Int64.init))),
            .tensor(Tensor(vector: groups.counts.map(Int64.init))),
        ]
    }

    private struct Groups {
        var firsts: [Int] = []
        var inverse: [Int]
        var counts: [Int] = []
    }

    private func groups(_ tensor: Tensor) throws(Misfit) -> Groups {
        guard let keys = tensor.orderKeys() else { throw .unsupported("Unique of \(tensor.type.element)") }
        let extents = tensor.extents
        let along = try axis.map { axis throws(Misfit) in try resolvedAxis(axis, rank: extents.count) }
        let count = along.map { extents[$0] } ?? tensor.count
        if tensor.count == 0, count > 1 << 24 {
            throw .limit(of: "the number of empty slices", asked: count, limit: 1 << 24)
        }
        let parts = tensor.type.element.isComplex ? 2 : 1
        let inner = along.map { extents[($0 + 1)...].product * parts } ?? parts
        let outer = along.map { extents[..<$0].product } ?? 1
        func compare(_ left: Int, _ right: Int) -> Int {
            for row in 0..<outer {
                for column in 0..<inner {
                    let a = keys[(row * count + left) * inner + column]
                    let b = keys[(row * count + right) * inner + column]
                    if a != b { return a < b ? -1 : 1 }
                }
            }
            return 0
        }
        let order = (0..<count).sorted { left, right in
            let sign = compare(left, right)
            return sign != 0 ? sign < 0 : left < right
        }
        return grouped(order) { compare($0, $1) == 0 }
    }

    private func grouped(_ order: [Int], _ isEqual: (Int, Int) -> Bool) -> Groups {
        var groups = Groups(inverse: Array(repeating: 0, count: order.count))
        for (place, index) in order.enumerated() {
            if place == 0 || !isEqual(order[place - 1], index) {
                groups.firsts.append(index)
                groups.counts.append(0)
            }
            groups.counts[groups.counts.count - 1] += 1
            groups.inverse[index] = groups.firsts.count - 1
        }
        guard !isSorted else { return groups }
        let appearance = groups.firsts.indices.sorted { groups.firsts[$0] < groups.firsts[$1] }
        var rank = appearance
        for (place, group) in appearance.enumerated() { rank[group] = place }
        return Groups(
            firsts: appearance.map { groups.firsts[$0] }, inverse: groups.inverse.map { rank[$0] },
            counts: appearance.map { groups.counts[$0] })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        let sorted = ("sorted", SourceAttribute.int(isSorted ? 1 : 0))
        return WrittenNode("Unique", (axis.map { [("axis", .int($0))] } ?? []) + [sorted], since: 11)
    }
}
