internal import CKernels
internal import DCNGraph

/// Moves that write disjoint elements, cut into tiles.
struct MoveKernel: Kernel {
    /// A part of one move: units are indices along its outer axes and the one after them.
    private struct Piece {
        let move: Int
        let units: Range<Int>
    }

    private let width: Int
    private let moves: [Move]
    private let pieces: [Piece]
    private let tiles: [Range<Int>]
    // Safe: a table of the program, never written.
    nonisolated(unsafe) private let table: UnsafePointer<dcn_simd_table>?

    /// Moves of elements `width` bytes wide (1, 2, 4, 8 or 16).
    init(width: Int, _ moves: [Move], on instructionSet: InstructionSet) {
        self.width = width
        self.moves = moves.filter { $0.count > 0 }.flatMap(\.collapsed.pieces)
        table = dcn_simd_kernels(instructionSet.code)
        var pieces: [Piece] = []
        var costs: [Int] = []
        for (index, move) in self.moves.enumerated() {
            let units = move.extents[...move.outerAxis].product
            let cost = max(1, move.count / units * width / 4)
            let splitsPlane = move.isTransposing && move.outerAxis == move.extents.count - 2
            let tiling = Tiling(units, cost: cost, multipleOf: splitsPlane ? 16 : 1)
            for tile in 0..<tiling.tiles {
                pieces.append(Piece(move: index, units: tiling[tile]))
                costs.append(tiling[tile].count * cost)
            }
        }
        self.pieces = pieces
        tiles = Self.grouped(costs, target: 16_384)
    }

    var tileCount: Int { tiles.count }

    /// Runs of neighbours whose costs add up to about `target`.
    private static func grouped(_ costs: [Int], target: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var sum = 0
        for (index, cost) in costs.enumerated() {
            sum += cost
            guard sum >= target || index == costs.count - 1 else { continue }
            ranges.append(start..<(index + 1))
            start = index + 1
            sum = 0
        }
        return ranges
    }

    func run(tile: Int, in frame: Frame) {
        for index in tiles[tile] {
            let piece = pieces[index]
            switch width {
            case 1: run(moves[piece.move], piece.units, frame, as: UInt8.self)
            case 2: run(moves[piece.move], piece.units, frame, as: UInt16.self)
            case 4: run(moves[piece.move], piece.units, frame, as: UInt32.self)
            case 8: run(moves[piece.move], piece.units, frame, as: UInt64.self)
            default: run(moves[piece.move], piece.units, frame, as: Wide.self)
            }
        }
    }

    @inline(__always)
    private func run<T: BitwiseCopyable>(_ move: Move, _ units: Range<Int>, _ frame: Frame, as type: T.Type) {
        guard let output = frame.optionalOutput(move.output, as: type) else { return }
        let zeros = UnsafeRawPointer(Self.zeros).assumingMemoryBound(to: type)
        let input = move.input.map { frame.input($0, as: type) } ?? zeros
        let outer = move.outerAxis
        let extent = move.extents[outer]
        var unit = units.lowerBound
        while unit < units.upperBound {
            let begin = unit % extent
            let length = min(extent - begin, units.upperBound - unit)
            var rest = unit / extent
            var x = input + move.source + begin * move.sourceStrides[outer]
            var y = output + move.target + begin * move.targetStrides[outer]
            for axis in (0..<outer).reversed() {
                x += rest % move.extents[axis] * move.sourceStrides[axis]
                y += rest % move.extents[axis] * move.targetStrides[axis]
                rest /= move.extents[axis]
            }
            copy(move, outer, length, x, y)
            unit += length
        }
    }

    /// Copies `length` indices of `axis` and everything along later axes.
    @inline(__always)
    private func copy<T: BitwiseCopyable>(
        _ move: Move, _ axis: Int, _ length: Int, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>
    ) {
        guard move.isTransposing, axis >= move.extents.count - 8, let copy = table?.pointee.copy else {
            return copyAxes(move, axis, length, x, y)
        }
        var shape = dcn_copy()
        shape.rank = move.extents.count - axis
        withUnsafeMutableBytes(of: &shape) { bytes in
            guard let base = bytes.baseAddress else { return }
            let lengths = (base + Self.extentOffset).assumingMemoryBound(to: Int.self)
            let sources = (base + Self.sourceOffset).assumingMemoryBound(to: Int.self)
            let targets = (base + Self.targetOffset).assumingMemoryBound(to: Int.self)
            for index in axis..<move.extents.count {
                lengths[index - axis] = index == axis ? length : move.extents[index]
                sources[index - axis] = move.sourceStrides[index]
                targets[index - axis] = move.targetStrides[index]
            }
        }
        copy(width, &shape, x, y)
    }

    private static let extentOffset = MemoryLayout<dcn_copy>.offset(of: \.extent) ?? 0
    private static let sourceOffset = MemoryLayout<dcn_copy>.offset(of: \.x_stride) ?? 0
    private static let targetOffset = MemoryLayout<dcn_copy>.offset(of: \.y_stride) ?? 0

    /// A zero of any width, read with strides of zero.
    nonisolated(unsafe) private static let zeros: UnsafeMutableRawPointer = {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: 16)
        return block
    }()
}

/// Sixteen bytes that lie eight-aligned.
struct Wide: BitwiseCopyable, Sendable {
    var low: UInt64
    var high: UInt64
}

/// Copies `length` indices of `axis` and everything along later axes.
private func copyAxes<T: BitwiseCopyable>(
    _ move: Move, _ axis: Int, _ length: Int, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>
) {
    let dx = move.sourceStrides[axis]
    let dy = move.targetStrides[axis]
    let last = move.extents.count - 1
    if axis == last { return copyLine(length, x, dx, y, dy) }
    if axis == last - 1, dx == 1, move.targetStrides[last] == 1, move.sourceStrides[last] != 1 {
        return transposePlane(length, move.extents[last], x, move.sourceStrides[last], y, dy)
    }
    for index in 0..<length {
        copyAxes(move, axis + 1, move.extents[axis + 1], x + index * dx, y + index * dy)
    }
}

@inline(__always)
private func copyLine<T: BitwiseCopyable>(
    _ count: Int, _ x: UnsafePointer<T>, _ dx: Int, _ y: UnsafeMutablePointer<T>, _ dy: Int
) {
    switch (dx, dy) {
    case (1, 1): UnsafeMutableRawPointer(y).copyMemory(from: x, byteCount: count * MemoryLayout<T>.stride)
    case (0, 1): y.update(repeating: x[0], count: count)
    case (_, 1): for index in 0..<count { y[index] = x[index * dx] }
    default: for index in 0..<count { y[index * dy] = x[index * dx] }
    }
}

/// y[r · dy + c] = x[r + c · dx], in square blocks so that both sides stay in cache.
@inline(__always)
private func transposePlane<T: BitwiseCopyable>(
    _ rows: Int, _ columns: Int, _ x: UnsafePointer<T>, _ dx: Int, _ y: UnsafeMutablePointer<T>, _ dy: Int
) {
    let block = 16
    for r in stride(from: 0, to: rows, by: block) {
        let rowEnd = min(rows, r + block)
        for c in stride(from: 0, to: columns, by: block) {
            let columnEnd = min(columns, c + block)
            for row in r..<rowEnd {
                let line = y + row * dy
                let column = x + row
                for index in c..<columnEnd { line[index] = column[index * dx] }
            }
        }
    }
}
