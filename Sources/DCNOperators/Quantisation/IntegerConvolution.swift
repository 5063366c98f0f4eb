internal import DCNGraph

/// A convolution of bytes into int32, one output plane at a time.
struct IntegerConvolution: Sendable {
    let images: Int
    let outputChannels: Int
    /// Extents of the result.
    let extents: [Int]
    /// Elements of one output plane.
    let plane: Int
    private let channels: Int
    private let groups: Int
    private let window: Window
    private let spatial: [Int]
    private let output: [Int]
    private let begins: [Int]
    private let isSigned: Bool
    private let isSignedWeight: Bool

    /// A convolution of operands of known extents.
    init(_ x: TensorType, _ weight: TensorType, _ window: Window, groups: Int) throws(Misfit) {
        guard let input = x.extents, let kernel = weight.extents else { throw .missing("a shape") }
        let window = try window.resolved(kernel: Array(kernel.dropFirst(2)))
        self.window = window
        self.groups = groups
        (images, channels, outputChannels) = (input[0], input[1], kernel[0])
        let spatial = Array(input.dropFirst(2))
        self.spatial = spatial
        output = spatial.indices.map { window.output($0, extent: spatial[$0]) }
        begins = spatial.indices.map { window.padding($0, extent: spatial[$0]).begin }
        plane = output.reduce(1, *)
        extents = [input[0], kernel[0]] + output
        isSigned = x.element == .int8
        isSignedWeight = weight.element == .int8
    }

    /// Multiply-adds of one output plane.
    var planeCost: Int { plane &* (channels / groups) &* window.taps }

    /// The plane of output channel `o` of image `n`.
    func sum(
        _ n: Int, _ o: Int, x: UnsafePointer<UInt8>, xZero: Int32, weight: UnsafePointer<UInt8>,
        weightZero: Int32,
        into sums: UnsafeMutablePointer<Int32>
    ) {
        sums.update(repeating: 0, count: plane)
        let perGroup = channels / groups
        let first = o / (outputChannels / groups) * perGroup
        let size = spatial.reduce(1, *)
        for c in 0..<perGroup {
            let image = x + (n * channels + first + c) * size
            for tap in 0..<window.taps {
                let place = (o * perGroup + c) * window.taps + tap
                let factor = byte(weight, place, isSigned: isSignedWeight) &- weightZero
                if factor != 0 { add(tap, factor, image, xZero, sums) }
            }
        }
    }

    /// sums += factor · (x moved by one tap − zero), row by row.
    private func add(
        _ tap: Int, _ factor: Int32, _ x: UnsafePointer<UInt8>, _ zero: Int32,
        _ sums: UnsafeMutablePointer<Int32>
    ) {
        let last = spatial.count - 1
        let shift = tap % window.kernel[last] * window.dilations[last] - begins[last]
        let stride = window.strides[last]
        let lower = max(0, (-shift + stride - 1) / stride)
        let upper = min(output[last], shift >= spatial[last] ? 0 : (spatial[last] - 1 - shift) / stride + 1)
        guard lower < upper else { return }
        for line in 0..<plane / max(1, output[last]) {
            guard let row = sourceRow(line, tap / window.kernel[last]) else { continue }
            let source = x + row * spatial[last]
            let target = sums + line * output[last]
            if isSigned {
                addRow(UnsafeRawPointer(source).assumingMemoryBound(to: Int8.self), lower..<upper)
            } else {
                addRow(source, lower..<upper)
            }
            func addRow<T: FixedWidthInteger>(_ source: UnsafePointer<T>, _ range: Range<Int>) {
                for index in range {
                    target[index] &+=
                        factor &* (Int32(truncatingIfNeeded: source[index * stride + shift]) &- zero)
                }
            }
        }
    }

    /// The row of x that a row of the result reads at a tap of the leading axes; nil in the padding.
    private func sourceRow(_ line: Int, _ tap: Int) -> Int? {
        var (restLine, restTap, row, scale) = (line, tap, 0, 1)
        for axis in spatial.indices.dropLast().reversed() {
            let index =
                restLine % output[axis] * window.strides[axis] - begins[axis]
                + restTap % window.kernel[axis] * window.dilations[axis]
            guard index >= 0, index < spatial[axis] else { return nil }
            row += index * scale
            scale *= spatial[axis]
            restLine /= output[axis]
            restTap /= window.kernel[axis]
        }
        return row
    }
}

/// The type of a convolution of bytes, its operands checked.
func convolutionType(
    _ x: Operand, _ weight: Operand, _ window: Window, groups: Int, _ element: ElementType
) throws(Misfit) -> TensorType {
    for operand in [x, weight] { try operand.expect([.int8, .uint8]) }
    guard groups > 0 else { throw .attribute("group", because: "is \(groups), expected at least 1") }
    guard let rank = x.rank ?? weight.rank else { return TensorType(element, nil) }
    guard rank >= 3 else { throw .rank(of: x.name, expected: "at least 3", got: rank) }
    try x.expectRank(rank)
    try weight.expectRank(rank)
    guard let kernel = weight.type.extents, let shape = x.shape else {
        return TensorType(element, Shape(Array(repeating: .unknown, count: rank)))
    }
    guard kernel[0] % groups == 0 else {
        throw .extent(
            of: weight.name, axis: 0, expected: "a multiple of \(groups)", got: "\(kernel[0])",
            because: "group")
    }
    let (channels, overflow) = kernel[1].multipliedReportingOverflow(by: groups)
    guard !overflow else { throw .attribute("group", because: "is \(groups), too large") }
    try x.expect(channels, along: 1, because: "group × the channels of \(weight.name)")
    let window = try window.resolved(kernel: Array(kernel.dropFirst(2)))
    var dimensions: [Dimension] = [shape[0], .fixed(kernel[0])]
    for axis in 0..<rank - 2 { dimensions.append(try window.output(axis, of: shape[axis + 2])) }
    return TensorType(element, Shape(dimensions))
}
