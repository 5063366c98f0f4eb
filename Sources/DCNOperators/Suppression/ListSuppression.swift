package import DCNGraph

/// Lists of boxes with what overlaps better boxes taken out (MXNet's box_nms).
///
/// Input: data `[…, N, K]`, rows that hold a score, four numbers of a box from `boxColumn` on, and maybe a class. Output: the same
/// shape; the rows that stay come first, by descending score, the rest is −1. Scores that are NaN are not above any,
/// boxes with NaN or without a finite area overlap nothing, and a class that is NaN is another one in each row.
package struct ListSuppression: Operator {
    package static let name = "ListSuppression"
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.5
    /// The score a box must exceed.
    package var leastScore: Float = 0
    /// The best boxes that take part; 0 or less: all.
    package var best = -1
    /// Where in a row the box begins, and where its score stands.
    package var boxColumn = 2, scoreColumn = 1
    /// Where its class stands; negative: all are of one class.
    package var classColumn = -1
    /// The class that is left out; negative: none.
    package var background = -1
    /// Whether boxes of other classes are dropped too.
    package var acrossClasses = false
    /// Whether boxes come, and go, as centre and size.
    package var isCentred = false, givesCentred = false

    package init() {}

    /// Whether only boxes of one class overlap.
    package var minds: Bool { classColumn >= 0 && !acrossClasses }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        try data.expect(ElementType.detections)
        guard let shape = data.shape else { return [.tensor(data.type)] }
        guard shape.rank >= 2 else { throw .rank(of: "data", expected: "2 or more", got: shape.rank) }
        if let columns = shape[shape.rank - 1].fixed {
            let columnsOfUse = [
                ("coord_start", boxColumn, columns - 4), ("score_index", scoreColumn, columns - 1),
                ("id_index", max(0, classColumn), columns - 1),
            ]
            for (name, value, limit) in columnsOfUse where value < 0 || value > limit {
                throw .attribute(name, because: "is \(value), data has \(columns) columns")
            }
        }
        return [.tensor(data.type)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let op = self
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let (extents, rows) = try floats(values, 0, "data")
                let (columns, count) = (extents[extents.count - 1], extents[extents.count - 2])
                var result = [Float](repeating: -1, count: rows.count)
                guard columns > 0, count > 0 else {
                    return [Tensor(extents: extents, result).map(Datum.tensor)]
                }
                for start in stride(from: 0, to: rows.count, by: count * columns) {
                    try scope.checkpoint()
                    let kept = op.kept(rows[start..<(start + count * columns)], count, columns)
                    for (place, row) in kept.enumerated() {
                        let target = start + place * columns
                        result.replaceSubrange(target..<(target + columns), with: op.converted(row))
                    }
                }
                return [Tensor(extents: extents, result).map(Datum.tensor)]
            })
    }

    private func kept(_ list: ArraySlice<Float>, _ count: Int, _ columns: Int) -> [[Float]] {
        let rows = (0..<count).map { Array(list.dropFirst($0 * columns).prefix(columns)) }
        let able = rows.indices.filter {
            rows[$0][scoreColumn] > leastScore
                && (classColumn < 0 || background < 0 || rows[$0][classColumn] != Float(background))
        }
        var order = descending(able) { rows[$0][scoreColumn] }
        if best > 0 { order = Array(order.prefix(best)) }
        var boxes = EdgeBoxes()
        for index in order {
            let box = corners(rows[index])
            boxes.append(box[0], box[1], box[2], box[3])
        }
        var taken: [Int] = []
        for place in order.indices {
            let isFree = !taken.contains { other in
                if minds, rows[order[other]][classColumn] != rows[order[place]][classColumn] { return false }
                return boxes.overlap(place, boxes, other) > threshold
            }
            if isFree { taken.append(place) }
        }
        return taken.map { rows[order[$0]] }
    }

    private func corners(_ row: [Float]) -> SIMD4<Float> {
        let box = SIMD4(row[boxColumn], row[boxColumn + 1], row[boxColumn + 2], row[boxColumn + 3])
        return isCentred ? cornered(box) : box
    }

    private func converted(_ row: [Float]) -> [Float] {
        guard isCentred != givesCentred else { return row }
        var (row, box) = (row, corners(row))
        if givesCentred {
            box = SIMD4(lowHalf: (box.lowHalf + box.highHalf) / 2, highHalf: box.highHalf - box.lowHalf)
        }
        for index in 0..<4 { row[boxColumn + index] = box[index] }
        return row
    }
}
