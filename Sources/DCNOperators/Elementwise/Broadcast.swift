internal import CKernels
internal import DCNGraph

/// Operands and a result of broadcast shapes, seen as few long axes: adjacent axes along which every operand goes
/// on steadily are one. The last axis makes columns, the one before rows, the rest is walked block by block.
///
/// Along columns every operand has a step of 0 or 1, in either layout of the result.
struct Broadcast: Sendable {
    /// Extents of the axes before rows, slowest first.
    let outer: [Int]
    /// Steps of each operand, the result last, along each outer axis.
    let outerStrides: [[Int]]
    let rows: Int
    let columns: Int
    /// Lanes after each row of the result, to be cleared.
    let padding: Int
    let rowStrides: [Int]
    let columnStrides: [Int]
    /// Long rows are cut into pieces of so many columns.
    let pieceColumns: Int
    let pieces: Int
    let tiling: Tiling

    /// Operands and a result of known shapes; an element costs `cost` units of work.
    init(_ operands: [TensorType], output: TensorType, cost: Int = 1) throws(Misfit) {
        var axes = try Self.axes(operands, output)
        Self.merge(&axes)
        let last = axes.popLast() ?? Axis(extent: 1, strides: Array(repeating: 0, count: operands.count + 1))
        let next = axes.popLast() ?? Axis(extent: 1, strides: Array(repeating: 0, count: operands.count + 1))
        guard last.strides.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw .unsupported("operands of mixed layouts have no kernel")
        }
        columns = last.extent
        columnStrides = last.strides
        rows = next.extent
        rowStrides = next.strides
        outer = axes.map(\.extent)
        outerStrides = axes.map(\.strides)
        padding = output.channelPadding
        pieceColumns = max(1, min(columns, max(1, 16_384 / cost)))
        pieces = columns == 0 ? 0 : (columns + pieceColumns - 1) / pieceColumns
        let lines = outer.reduce(rows, *)
        tiling = Tiling(lines * pieces, cost: pieceColumns * cost)
    }

    /// The walk of a kernel of up to three operands, named by position; what is absent does not move.
    func walk(a: Int, b: Int? = nil, c: Int? = nil) -> BroadcastWalk {
        let result = rowStrides.count - 1
        func lanes(_ strides: [Int]) -> SIMD4<Int> {
            SIMD4(strides[a], b.map { strides[$0] } ?? 0, c.map { strides[$0] } ?? 0, strides[result])
        }
        return BroadcastWalk(
            broadcast: self, outer: outerStrides.map(lanes), row: lanes(rowStrides),
            column: lanes(columnStrides))
    }

    /// The walk of a kernel that goes on from what it has already written: the result is its first operand.
    func walk(resultAnd b: Int) -> BroadcastWalk { walk(a: rowStrides.count - 1, b: b) }
}

private struct Axis {
    var extent: Int
    var strides: [Int]
}

extension TensorType {
    /// Zero lanes after the channels of each pixel.
    var channelPadding: Int {
        guard layout == .channelsLast, let extents, extents.count >= 2 else { return 0 }
        return paddedChannels(extents[1]) - extents[1]
    }
}

extension Broadcast {
    /// The axes as the result lies, those of extent 1 left out; channels stay where padding follows them.
    private static func axes(_ operands: [TensorType], _ output: TensorType) throws(Misfit) -> [Axis] {
        guard let extents = output.extents else { throw .missing("the shape of the output") }
        let rank = extents.count
        let isChannelsLast = output.layout == .channelsLast && rank >= 2
        let order = isChannelsLast ? [0] + Array(2..<rank) + [1] : Array(0..<rank)
        let steps = try (operands + [output]).map { (type) throws(Misfit) in
            try broadcastStrides(type, extents)
        }
        return order.filter { extents[$0] != 1 || (isChannelsLast && $0 == 1) }
            .map { axis in Axis(extent: extents[axis], strides: steps.map { $0[axis] }) }
    }

    /// Steps of one operand along the axes of the result.
    private static func broadcastStrides(_ type: TensorType, _ result: [Int]) throws(Misfit) -> [Int] {
        guard let extents = type.extents else { throw .missing("the shape of an operand") }
        let own = type.strides
        let missing = result.count - extents.count
        return result.indices.map { axis in
            axis < missing || extents[axis - missing] == 1 ? 0 : own[axis - missing]
        }
    }

    private static func merge(_ axes: inout [Axis]) {
        var merged: [Axis] = []
        for axis in axes {
            if let before = merged.last,
                zip(before.strides, axis.strides).allSatisfy({ $0 == $1 * axis.extent })
            {
                merged[merged.count - 1] = Axis(extent: before.extent * axis.extent, strides: axis.strides)
            } else {
                merged.append(axis)
            }
        }
        axes = merged
    }
}

/// The steps of one kernel's operands over a broadcast: lanes are operands a, b, c and the result.
struct BroadcastWalk: Sendable {
    let broadcast: Broadcast
    let outer: [SIMD4<Int>]
    let row: SIMD4<Int>
    let column: SIMD4<Int>

    /// How many tiles there are.
    var tiles: Int { broadcast.tiling.tiles }

    /// Calls `body` for the runs of rows in a tile, with where each operand begins.
    @inline(__always)
    func forEach(in tile: Int, _ body: (dcn_broadcast, SIMD4<Int>) -> Void) {
        let range = broadcast.tiling[tile]
        var unit = range.lowerBound
        while unit < range.upperBound {
            let line = unit / broadcast.pieces
            let within = line % broadcast.rows
            var offset = blockOffset(line / broadcast.rows)
            offset = offset &+ row &* SIMD4(repeating: within)
            if broadcast.pieces == 1 {
                let count = min(range.upperBound - unit, broadcast.rows - within)
                body(shape(rows: count, columns: broadcast.columns, padding: broadcast.padding), offset)
                unit += count
            } else {
                let start = unit % broadcast.pieces * broadcast.pieceColumns
                let count = min(broadcast.pieceColumns, broadcast.columns - start)
                let padding = start + count == broadcast.columns ? broadcast.padding : 0
                body(
                    shape(rows: 1, columns: count, padding: padding),
                    offset &+ column &* SIMD4(repeating: start))
                unit += 1
            }
        }
    }

    private func blockOffset(_ block: Int) -> SIMD4<Int> {
        var offset = SIMD4<Int>()
        var rest = block
        for axis in broadcast.outer.indices.reversed() {
            offset = offset &+ outer[axis] &* SIMD4(repeating: rest % broadcast.outer[axis])
            rest /= broadcast.outer[axis]
        }
        return offset
    }

    private func shape(rows: Int, columns: Int, padding: Int) -> dcn_broadcast {
        dcn_broadcast(
            rows: rows, columns: columns, a_row: row[0], b_row: row[1], c_row: row[2], y_row: row[3],
            a_column: column[0], b_column: column[1], c_column: column[2], padding: padding)
    }
}

/// y = f(a, b) over rows, in plain Swift.
@inline(__always)
func mapRows<A, B, Y: ExpressibleByIntegerLiteral>(
    _ shape: dcn_broadcast, _ a: UnsafePointer<A>, _ b: UnsafePointer<B>, _ y: UnsafeMutablePointer<Y>,
    _ f: (A, B) -> Y
) {
    for row in 0..<shape.rows {
        let a = a + row * shape.a_row
        let b = b + row * shape.b_row
        let y = y + row * shape.y_row
        for column in 0..<shape.columns {
            y[column] = f(a[column * shape.a_column], b[column * shape.b_column])
        }
        for column in shape.columns..<shape.columns + shape.padding { y[column] = 0 }
    }
}
