internal import DCNGraph

/// Each output index takes an input index of its own along each axis: y[i, j, …] = x[a[i], b[j], …].
struct RemapKernel: Kernel {
    /// Steps in memory order of the output, channels-last padding left out.
    private struct Axis {
        /// Distance in x of what each index takes.
        let offsets: [Int]
        let stride: Int
    }

    private let width: Int
    private let axes: [Axis]
    private let rows: Tiling
    private let padding: Int
    private let isLastUnchanged: Bool

    /// A remapping of `input` to `output` (same layout) by the input index for each output index of each axis.
    init(_ input: TensorType, _ output: TensorType, sources: [[Int]]) {
        width = input.element.byteWidth
        let from = input.strides
        let to = output.strides
        let channelsLast = output.layout == .channelsLast && to.count >= 2
        let inOrder = channelsLast ? to.indices.filter { $0 != 1 } + [1] : Array(to.indices)
        axes = inOrder.map { axis in
            Axis(offsets: sources[axis].map { $0 * from[axis] }, stride: to[axis])
        }
        let last = axes.last?.offsets ?? [0]
        isLastUnchanged = zip(last, last.dropFirst()).allSatisfy { $1 == $0 + 1 }
        padding = channelsLast ? (output.storedExtents?.last ?? 0) - last.count : 0
        let count = axes.isEmpty ? 1 : axes.dropLast().reduce(1) { $0 * $1.offsets.count }
        rows = Tiling(last.isEmpty && padding == 0 ? 0 : count, cost: last.count + padding)
    }

    var tileCount: Int { rows.tiles }

    func run(tile: Int, in frame: Frame) {
        switch width {
        case 1: run(rows[tile], frame, as: UInt8.self)
        case 2: run(rows[tile], frame, as: UInt16.self)
        case 4: run(rows[tile], frame, as: UInt32.self)
        case 8: run(rows[tile], frame, as: UInt64.self)
        default: run(rows[tile], frame, as: Wide.self)
        }
    }

    @inline(__always)
    private func run<T: BitwiseCopyable>(_ range: Range<Int>, _ frame: Frame, as type: T.Type) {
        let input = frame.input(0, as: type)
        let output = frame.output(0, as: type)
        for row in range {
            var rest = row
            var x = 0
            var y = 0
            for axis in axes.indices.dropLast().reversed() {
                let extent = axes[axis].offsets.count
                x += axes[axis].offsets[rest % extent]
                y += rest % extent * axes[axis].stride
                rest /= extent
            }
            line(input + x, output + y)
        }
    }

    @inline(__always)
    private func line<T: BitwiseCopyable>(_ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>) {
        guard let last = axes.last?.offsets else {
            y[0] = x[0]
            return
        }
        if isLastUnchanged, let first = last.first {
            UnsafeMutableRawPointer(y).copyMemory(
                from: x + first, byteCount: last.count * MemoryLayout<T>.stride)
        } else {
            last.withUnsafeBufferPointer { offsets in
                for index in 0..<offsets.count { y[index] = x[offsets[index]] }
            }
        }
        if padding > 0 {
            UnsafeMutableRawPointer(y + last.count).initializeMemory(
                as: UInt8.self, repeating: 0, count: padding * MemoryLayout<T>.stride)
        }
    }
}
