internal import DCNGraph

/// The window of a pooling over one to three spatial axes.
package struct PoolWindow: Sendable, Hashable, Codable {
    /// How padding is found.
    package enum Padding: String, Sendable, Hashable, Codable { case explicit, sameUpper, sameLower, valid }
    /// Extents of the window.
    package var kernel: [Int]
    /// Steps; empty: 1.
    package var strides: [Int]
    /// Distances of cells; empty: 1.
    package var dilations: [Int]
    /// Cells before each axis, then cells after each; empty: 0.
    package var pads: [Int]
    /// How padding is found.
    package var padding: Padding
    /// Whether output extents are rounded up; a window must still begin inside the image or its leading padding.
    package var roundsUp: Bool

    /// A window from its parts.
    package init(
        kernel: [Int], strides: [Int] = [], dilations: [Int] = [], pads: [Int] = [],
        padding: Padding = .explicit,
        roundsUp: Bool = false
    ) {
        self.kernel = kernel
        self.strides = strides
        self.dilations = dilations
        self.pads = pads
        self.padding = padding
        self.roundsUp = roundsUp
    }

    /// What a window does along one axis.
    struct Axis: Sendable, Hashable {
        var kernel = 1
        var stride = 1
        var dilation = 1
        var begin = 0
        var end = 0
        var extent = 1
        var output = 1
    }

    /// Throws unless lengths and values are sensible.
    func check() throws(Misfit) {
        let count = kernel.count
        guard (1...3).contains(count) else {
            throw .attribute("kernel_shape", because: "has \(count) entries, expected 1 … 3")
        }
        try Self.check("kernel_shape", kernel, count: count, from: 1)
        try Self.check("strides", strides, count: count, from: 1)
        try Self.check("dilations", dilations, count: count, from: 1)
        try Self.check("pads", pads, count: 2 * count, from: -Self.limit)
    }

    private static let limit = 1 << 20

    private static func check(_ name: String, _ values: [Int], count: Int, from least: Int) throws(Misfit) {
        guard values.isEmpty || values.count == count else {
            throw .attribute(name, because: "has \(values.count) entries, expected \(count)")
        }
        if let wrong = values.first(where: { $0 < least || $0 > limit }) {
            throw .attribute(name, because: "has \(wrong), expected \(least) … \(limit)")
        }
    }

    /// The geometry along a spatial axis of known extent.
    func axis(_ index: Int, extent: Int) throws(Misfit) -> Axis {
        guard extent <= 1 << 40 else { throw .limit(of: "an extent of X", asked: extent, limit: 1 << 40) }
        var axis = Axis()
        axis.extent = extent
        axis.kernel = kernel[index]
        axis.stride = strides.isEmpty ? 1 : strides[index]
        axis.dilation = dilations.isEmpty ? 1 : dilations[index]
        let reach = (axis.kernel - 1) * axis.dilation + 1
        switch padding {
        case .explicit, .valid:
            if padding == .explicit, !pads.isEmpty {
                axis.begin = pads[index]
                axis.end = pads[index + kernel.count]
            }
            let room = extent + axis.begin + axis.end - reach
            guard room >= 0 || roundsUp && room > -axis.stride else {
                throw .extent(
                    of: "X", axis: index + 2, expected: "at least \(reach) with padding",
                    got: "\(extent + axis.begin + axis.end)", because: "the window has to fit")
            }
            axis.output = Self.count(room, axis, roundsUp: roundsUp)
        case .sameUpper, .sameLower:
            axis.output = (extent + axis.stride - 1) / axis.stride
            let total = max(0, (axis.output - 1) * axis.stride + reach - extent)
            axis.begin = padding == .sameUpper ? total / 2 : total - total / 2
            axis.end = total - axis.begin
        }
        return axis
    }

    private static func count(_ room: Int, _ axis: Axis, roundsUp: Bool) -> Int {
        guard roundsUp else { return room / axis.stride + 1 }
        let count = (room + axis.stride - 1) / axis.stride + 1
        return (count - 1) * axis.stride >= axis.extent + axis.begin ? count - 1 : count
    }

    /// The dimension that a spatial axis gets.
    func output(_ index: Int, of dimension: Dimension) throws(Misfit) -> Dimension {
        guard let extent = dimension.fixed else { return isIdentity(index) ? dimension : .unknown }
        return .fixed(try axis(index, extent: extent).output)
    }

    /// Whether the output has the input's extent whatever it is.
    private func isIdentity(_ index: Int) -> Bool {
        guard strides.isEmpty || strides[index] == 1 else { return false }
        if padding == .sameUpper || padding == .sameLower { return true }
        let reach = (kernel[index] - 1) * (dilations.isEmpty ? 1 : dilations[index]) + 1
        let total = padding == .valid || pads.isEmpty ? 0 : pads[index] + pads[index + kernel.count]
        return total == reach - 1
    }
}

extension PoolWindow {
    /// The window as ONNX writes it.
    init(_ node: SourceNode, hasDilations: Bool, hasCeiling: Bool) throws(Misfit) {
        guard let kernel = try node.optionalInts("kernel_shape") else {
            throw .missing("attribute kernel_shape")
        }
        self.init(
            kernel: kernel, strides: try node.ints("strides", default: []),
            dilations: hasDilations ? try node.ints("dilations", default: []) : [],
            pads: try node.ints("pads", default: []),
            roundsUp: hasCeiling ? try node.bool("ceil_mode", default: false) : false)
        switch try node.string("auto_pad", default: "NOTSET") {
        case "NOTSET", "": break
        case "SAME_UPPER": padding = .sameUpper
        case "SAME_LOWER": padding = .sameLower
        case "VALID": padding = .valid
        case let other:
            throw .attribute(
                "auto_pad", because: "is \(escaped(other)), expected NOTSET, SAME_UPPER, SAME_LOWER or VALID")
        }
        if padding != .explicit { pads = [] }
    }

    /// The attributes that ONNX writes a window with.
    var attributes: [(name: String, value: SourceAttribute)] {
        var all: [(name: String, value: SourceAttribute)] = [("kernel_shape", .ints(kernel))]
        if !strides.isEmpty { all.append(("strides", .ints(strides))) }
        if dilations.contains(where: { $0 != 1 }) { all.append(("dilations", .ints(dilations))) }
        switch padding {
        case .explicit: if pads.contains(where: { $0 != 0 }) { all.append(("pads", .ints(pads))) }
        case .sameUpper: all.append(("auto_pad", .string(ByteString("SAME_UPPER"))))
        case .sameLower: all.append(("auto_pad", .string(ByteString("SAME_LOWER"))))
        case .valid: all.append(("auto_pad", .string(ByteString("VALID"))))
        }
        if roundsUp { all.append(("ceil_mode", .int(1))) }
        return all
    }
}
