internal import DCNGraph

/// A copy between strided arrays, counted in elements: for all i below `extents`,
///
///     output[target + Σ i · targetStrides] = input[source + Σ i · sourceStrides]
struct Move: Sendable, Hashable {
    /// The input that is read; nil stands for zeros.
    var input: Int?
    /// The output that is written.
    var output = 0
    var source = 0
    var target = 0
    var extents: [Int]
    var sourceStrides: [Int]
    var targetStrides: [Int]

    /// How many elements it moves.
    var count: Int { extents.product }

    /// The same move with as few axes as can be, the fastest target axis last and the fastest source axis before it.
    var collapsed: Move {
        var axes = extents.indices.filter { extents[$0] != 1 }.map {
            (extents[$0], sourceStrides[$0], targetStrides[$0])
        }
        axes.sort { abs($0.2) > abs($1.2) }
        var merged: [(Int, Int, Int)] = []
        for axis in axes {
            if let last = merged.last, last.1 == axis.1 &* axis.0, last.2 == axis.2 &* axis.0 {
                merged[merged.count - 1] = (last.0 * axis.0, axis.1, axis.2)
            } else {
                merged.append(axis)
            }
        }
        if let fast = merged.firstIndex(where: { $0.1 == 1 }), merged.count > 2, fast < merged.count - 2 {
            merged.insert(merged.remove(at: fast), at: merged.count - 2)
        }
        if merged.isEmpty { merged = [(1, 1, 1)] }
        var result = self
        result.extents = merged.map(\.0)
        result.sourceStrides = merged.map(\.1)
        result.targetStrides = merged.map(\.2)
        return result
    }

    /// Whether the innermost plane swaps rows with columns.
    var isTransposing: Bool {
        let last = extents.count - 1
        return last >= 1 && sourceStrides[last - 1] == 1 && sourceStrides[last] != 1
            && targetStrides[last] == 1
    }

    /// The move itself, or its parts where a transposition has few long columns: cut so that tiles stay square.
    var pieces: [Move] {
        let last = extents.count - 1
        let chunk = 1024
        guard isTransposing, extents[last - 1] < 64, extents[last] >= 2 * chunk else { return [self] }
        var main = self
        main.extents[last] = chunk
        main.extents.insert(extents[last] / chunk, at: 0)
        main.sourceStrides.insert(sourceStrides[last] * chunk, at: 0)
        main.targetStrides.insert(chunk, at: 0)
        let done = extents[last] / chunk * chunk
        guard done < extents[last] else { return [main] }
        var rest = self
        rest.extents[last] -= done
        rest.source += done * sourceStrides[last]
        rest.target += done
        return [main, rest]
    }

    /// The last of the leading axes that are walked by tiles: enough to share the work out.
    var outerAxis: Int {
        let limit = max(0, extents.count - (isTransposing ? 2 : 1))
        var product = 1
        for axis in 0..<limit {
            product = product &* extents[axis]
            if product >= 64 { return axis }
        }
        return max(limit, extents.count - 8)
    }
}

extension TensorType {
    /// Distances in elements of neighbours along each axis, in ONNX's order whatever the layout.
    var strides: [Int] {
        guard let stored = storedExtents else { return [] }
        let lying = rowMajorStrides(stored)
        guard layout == .channelsLast, stored.count >= 2 else { return lying }
        return [lying[0], 1] + lying[1..<(lying.count - 1)]
    }

    /// A move that zeroes the padding of channels-last outputs; none for row-major ones.
    func paddingMove(output: Int) -> Move? {
        guard layout == .channelsLast, let extents, let stored = storedExtents, extents.count >= 2 else {
            return nil
        }
        let padding = (stored.last ?? 0) - extents[1]
        guard padding > 0, let lanes = stored.last else { return nil }
        let pixels = stored.dropLast().product
        return Move(
            input: nil, output: output, target: extents[1], extents: [pixels, padding],
            sourceStrides: [0, 0],
            targetStrides: [lanes, 1])
    }
}
