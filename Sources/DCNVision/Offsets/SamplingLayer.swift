internal import DCN
internal import DCNFiles
internal import DCNOperators

/// Where the taps of one deformable layer looked, in the first picture of a batch.
package struct SamplingLayer: Sendable {
    /// The layer's name.
    package let name: String
    /// Rows and columns of the kernel.
    package let kernel: [Int]
    /// Steps from output to output.
    package let strides: [Int]
    /// Steps from tap to tap where nothing is deformed.
    package let dilations: [Int]
    /// Padding above and to the left.
    package let pads: [Int]
    /// Height and width of what is sampled.
    package let input: [Int]
    /// Height and width of the result.
    package let output: [Int]
    /// Groups of channels that move together.
    package let groups: Int
    /// The deformable layer whose result is sampled here, maybe through other layers: its place in the list.
    package let previous: Int?
    /// Row and column in the kernel of each tap.
    package let taps: [[Int]]
    /// Displacements in pixels, [groups · taps · (y, x), output pixels].
    let offsets: [Double]

    /// The place in the input, in pixels, that a tap looks at for one output.
    package func position(_ group: Int, _ tap: Int, row: Int, column: Int) -> (y: Double, x: Double) {
        let pixels = output[0] * output[1]
        let entry = 2 * (group * taps.count + tap) * pixels + row * output[1] + column
        let y = row * strides[0] - pads[0] + taps[tap][0] * dilations[0]
        let x = column * strides[1] - pads[1] + taps[tap][1] * dilations[1]
        return (Double(y) + offsets[entry], Double(x) + offsets[entry + pixels])
    }

    /// The middle of the undeformed kernel for one output, in pixels of the input.
    package func centre(row: Int, column: Int) -> (y: Double, x: Double) {
        func along(_ axis: Int, _ place: Int) -> Double {
            Double(place * strides[axis] - pads[axis]) + Double(dilations[axis] * (kernel[axis] - 1)) / 2
        }
        return (along(0, row), along(1, column))
    }
}

extension SamplingLayer {
    /// A deformable convolution; offset row-major [N, 2·T·D (and masks), OH, OW].
    init?(_ op: DeformConv, named name: String, offset: Tensor, input: [Int], previous: Int?) {
        guard offset.extents.count == 4, offset.type.element == .float32, op.offsetGroups > 0 else {
            return nil
        }
        let perTap = op.offsetGroups * (op.jointMask ? 3 : 2)
        let count = offset.extents[1] / perTap
        let written = op.packed?.extents.suffix(2).map { $0 } ?? op.window.kernel
        let side = Int(Double(count).squareRoot().rounded())
        let kernel = written.count == 2 ? Array(written) : [side, side]
        guard offset.extents[0] > 0, kernel.reduce(1, *) == count,
            let window = try? op.window.resolved(kernel: kernel),
            window.autoPad == .explicit
        else { return nil }
        let pixels = offset.extents[2] * offset.extents[3]
        let values = rowMajor(offset).elements(as: Float.self).prefix(2 * op.offsetGroups * count * pixels)
        self.init(
            name: name, kernel: kernel, strides: window.strides, dilations: window.dilations,
            pads: Array(window.pads.prefix(2)), input: input, output: Array(offset.extents[2...]),
            groups: op.offsetGroups, previous: previous,
            taps: (0..<count).map { [$0 / kernel[1], $0 % kernel[1]] }, offsets: values.map(Double.init))
    }

    /// A deformable aggregation; offset [N, OH, OW, G·T·(x, y)].
    init?(_ op: DeformAggregate, named name: String, offset: Tensor, input: [Int], previous: Int?) {
        guard offset.extents.count == 4, offset.type.element == .float32, offset.extents[0] > 0, !op.isJoint,
            let window = try? op.window.resolved(kernel: op.window.kernel), window.kernel.count == 2,
            offset.extents[3] == 2 * op.groups * op.taps
        else { return nil }
        let (height, width) = (window.kernel[0], window.kernel[1])
        var taps = (0..<height * width).map { [$0 % height, $0 / height] }
        if op.skipsCentre { taps.remove(at: width / 2 * height + height / 2) }
        let pixels = offset.extents[1] * offset.extents[2]
        let values = rowMajor(offset).elements(as: Float.self)
        let scale = Double(op.offsetScale)
        var offsets = [Double](repeating: 0, count: 2 * op.groups * taps.count * pixels)
        for entry in 0..<op.groups * taps.count {
            for axis in 0..<2 {
                let half = window.dilations[axis] * (window.kernel[axis] - 1) / 2
                let shift =
                    (scale - 1) * Double(taps[entry % taps.count][axis] * window.dilations[axis] - half)
                for pixel in 0..<pixels {
                    let read = values[pixel * offset.extents[3] + 2 * entry + 1 - axis]
                    offsets[(2 * entry + axis) * pixels + pixel] = scale * Double(read) + shift
                }
            }
        }
        self.init(
            name: name, kernel: window.kernel, strides: window.strides, dilations: window.dilations,
            pads: Array(window.pads.prefix(2)), input: input, output: Array(offset.extents[1...2]),
            groups: op.groups,
            previous: previous, taps: taps, offsets: offsets)
    }
}
