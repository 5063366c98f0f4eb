package import DCNGraph

/// How a kernel moves over the spatial axes. Empty lists stand for the defaults of the operator.
package struct Window: Sendable, Hashable, Codable {
    /// Extents of the kernel; empty: those of the weights.
    package var kernel: [Int] = []
    /// Steps from output to output; empty: 1.
    package var strides: [Int] = []
    /// Steps from tap to tap; empty: 1.
    package var dilations: [Int] = []
    /// Padding at the begin of each axis, then at the end of each; empty: 0.
    package var pads: [Int] = []
    /// How padding follows from extents, where it does.
    package var autoPad = AutoPad.explicit

    package init() {}

    /// The standard's ways to say how much padding there is.
    package enum AutoPad: String, Sendable, Hashable, Codable {
        case explicit = "NOTSET"
        case sameUpper = "SAME_UPPER"
        case sameLower = "SAME_LOWER"
        case valid = "VALID"
    }

    /// Reads ONNX's attributes `kernel_shape`, `strides`, `dilations`, `pads` and `auto_pad`.
    package init(onnx node: SourceNode) throws(Misfit) {
        kernel = try node.ints("kernel_shape", default: [])
        strides = try node.ints("strides", default: [])
        dilations = try node.ints("dilations", default: [])
        pads = try node.ints("pads", default: [])
        let written = try node.string("auto_pad", default: "NOTSET")
        guard let autoPad = AutoPad(rawValue: written.isEmpty ? "NOTSET" : written) else {
            throw .attribute(
                "auto_pad",
                because: "is '\(escaped(written))', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID")
        }
        self.autoPad = autoPad
    }

    /// ONNX's attributes, those at their defaults left out.
    package var written: [(name: String, value: SourceAttribute)] {
        var attributes: [(name: String, value: SourceAttribute)] = []
        if !kernel.isEmpty { attributes.append(("kernel_shape", .ints(kernel))) }
        if !strides.isEmpty { attributes.append(("strides", .ints(strides))) }
        if !dilations.isEmpty { attributes.append(("dilations", .ints(dilations))) }
        if !pads.isEmpty { attributes.append(("pads", .ints(pads))) }
        if autoPad != .explicit { attributes.append(("auto_pad", .string(ByteString(autoPad.rawValue)))) }
        return attributes
    }

    /// The window with every default written out for `kernel`, its numbers checked.
    package func resolved(kernel extents: [Int]) throws(Misfit) -> Window {
        let rank = extents.count
        var window = self
        if kernel.isEmpty { window.kernel = extents }
        if strides.isEmpty { window.strides = Array(repeating: 1, count: rank) }
        if dilations.isEmpty { window.dilations = Array(repeating: 1, count: rank) }
        if pads.isEmpty { window.pads = Array(repeating: 0, count: 2 * rank) }
        try expect("kernel_shape", window.kernel, count: rank, least: 1)
        try expect("strides", window.strides, count: rank, least: 1)
        try expect("dilations", window.dilations, count: rank, least: 1)
        try expect("pads", window.pads, count: 2 * rank, least: -Self.largest)
        guard window.kernel == extents else {
            throw .attribute("kernel_shape", because: "is \(kernel), the weights say \(extents)")
        }
        return window
    }

    /// Numbers above this can only be a mistake or an attack; products of a few of them still fit an integer.
    static let largest = 1 << 31

    private func expect(_ name: String, _ values: [Int], count: Int, least: Int) throws(Misfit) {
        guard values.count == count else {
            throw .attribute(name, because: "has \(values.count) numbers, expected \(count)")
        }
        guard let bad = values.first(where: { $0 < least || $0 > Self.largest }) else { return }
        throw .attribute(name, because: "holds \(bad), expected \(least) … \(Self.largest)")
    }
}

extension Window {
    /// How many taps there are, once resolved.
    package var taps: Int { kernel.reduce(1, *) }

    /// How far a dilated kernel reaches along an axis, once resolved.
    package func reach(_ axis: Int) -> Int { dilations[axis] * (kernel[axis] - 1) + 1 }

    /// Padding at the begin and end of an axis of a convolution over `extent`, once resolved.
    package func padding(_ axis: Int, extent: Int) -> (begin: Int, end: Int) {
        let rank = kernel.count
        switch autoPad {
        case .explicit: return (pads[axis], pads[axis + rank])
        case .valid: return (0, 0)
        case .sameUpper, .sameLower:
            let output = (extent + strides[axis] - 1) / strides[axis]
            let total = max(0, (output - 1) * strides[axis] + reach(axis) - extent)
            let less = total / 2
            return autoPad == .sameUpper ? (less, total - less) : (total - less, less)
        }
    }

    /// The output extent of a convolution along an axis; zero where the kernel does not fit.
    package func output(_ axis: Int, extent: Int) -> Int {
        let pad = padding(axis, extent: extent)
        let room = extent + pad.begin + pad.end - reach(axis)
        return room < 0 ? 0 : room / strides[axis] + 1
    }

    /// The output dimension of a convolution, symbolic where nothing changes the extent; throws where negative pads take off
    /// more than there is.
    package func output(_ axis: Int, of dimension: Dimension) throws(Misfit) -> Dimension {
        guard let extent = dimension.fixed else {
            if case .symbol = dimension, strides[axis] == 1 {
                let same = autoPad == .sameUpper || autoPad == .sameLower
                let pad = padding(axis, extent: 0)
                if same || (autoPad == .explicit && pad.begin + pad.end == reach(axis) - 1) {
                    return dimension
                }
            }
            return .unknown
        }
        guard extent <= Self.largest else {
            throw .limit(of: "an extent", asked: extent, limit: Self.largest)
        }
        let pad = padding(axis, extent: extent)
        guard extent + pad.begin + pad.end >= 0 else {
            throw .attribute("pads", because: "take \(-pad.begin - pad.end) off an extent of \(extent)")
        }
        return .fixed(output(axis, extent: extent))
    }
}
