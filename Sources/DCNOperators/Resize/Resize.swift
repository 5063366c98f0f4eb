internal import CKernels
package import DCNGraph

/// A tensor stretched along some axes.
///
/// Inputs: X, roi, scales (float32), sizes (int64); roi counts for `.cropAndResize` only, one of scales and sizes is given.
/// An extent becomes `floor(extent · scale)` or its size. Output coordinate o is taken from the source at
/// `coordinates(o)`, between cells by `interpolation`; beyond the edge cells repeat.
/// A cell that is not finite spoils every result it is weighed in, with weight 0 too.
package struct Resize: Operator {
    package static let name = "Resize"
    /// What lies between cells.
    package enum Interpolation: String, Sendable, Hashable, Codable { case nearest, linear, cubic }
    /// Which source coordinate an output coordinate means.
    package enum Coordinates: String, Sendable, Hashable, Codable, CaseIterable {
        case halfPixel = "half_pixel"
        case halfPixelSymmetric = "half_pixel_symmetric"
        case pytorchHalfPixel = "pytorch_half_pixel"
        case alignCorners = "align_corners"
        case asymmetric
        case cropAndResize = "tf_crop_and_resize"
        case tensorflowHalfPixel = "tf_half_pixel_for_nn"
    }
    /// Which cell is nearest. `simple`: the one below, when shrinking the one above (operator sets before 11).
    package enum Rounding: String, Sendable, Hashable, Codable, CaseIterable {
        case preferFloor = "round_prefer_floor"
        case preferCeiling = "round_prefer_ceil"
        case floor
        case ceiling = "ceil"
        case simple
    }
    /// What becomes of sizes of another aspect ratio.
    package enum AspectPolicy: String, Sendable, Hashable, Codable, CaseIterable {
        case stretch
        case notLarger = "not_larger"
        case notSmaller = "not_smaller"
    }
    /// What lies between cells.
    package var interpolation = Interpolation.nearest
    /// Which source coordinate an output coordinate means.
    package var coordinates = Coordinates.halfPixel
    /// Which cell is nearest.
    package var rounding = Rounding.preferFloor
    /// The coefficient of cubic interpolation.
    package var cubicCoefficient: Float = -0.75
    /// Whether cells beyond the edge have no weight.
    package var excludesOutside = false
    /// The value outside of a crop.
    package var extrapolation: Float = 0
    /// Whether shrinking widens the filter.
    package var antialiases = false
    /// The axes that scales, sizes and roi are of; nil: all.
    package var axes: [Int]?
    /// What becomes of sizes of another aspect ratio.
    package var policy = AspectPolicy.stretch

    package init(_ interpolation: Interpolation = .nearest) { self.interpolation = interpolation }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(.numbers + [.bool, .string, .complex64, .complex128])
        if x.element == .string && (interpolation != .nearest || extrapolation != 0) {
            throw .unsupported("interpolation between strings, which the standard does not define")
        }
        if antialiases && interpolation == .nearest {
            throw .attribute("antialias", because: "is set, which nearest neighbours do not have")
        }
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil, layout: x.type.layout))] }
        let plan = try geometry(inputs, shape)
        let result =
            plan.map { Shape($0.map(\.dimension)) }
            ?? Shape([Dimension](repeating: .unknown, count: shape.rank))
        return [.tensor(TensorType(x.element, result, layout: x.type.layout))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        guard let type = inputs.types.first??.tensor, type.element == .float32, let shape = type.shape,
            shape.rank == 4,
            let plan = (try? geometry(inputs, shape)) ?? nil, !plan[0].isActive, !plan[1].isActive
        else { return .rowMajor }
        return .channelsLast(inputs: [0], outputs: [0])
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        if type.element == .string { return .routine(SurrogateRoutine(op: self, outputs: call.outputs)) }
        if type.element.isComplex {
            var imaginary = self
            imaginary.extrapolation = 0
            return .routine(ComplexParts(real: self, imaginary: imaginary))
        }
        let inputs = Inputs(call.inputs, constants: call.constants)
        guard let shape = type.shape, let axes = try geometry(inputs, shape),
            let plan = ResizePlan(self, extents: try call.extents(0), axes: axes)
        else { return .routine(lateRoutine(self)) }
        if type.element == .float32, let kernel = try plan.vectorKernel(call) { return .kernel(kernel) }
        guard type.layout == .rowMajor else { throw .unsupported("Resize of \(type)") }
        return try plan.execution(of: type.element, interpolation)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("mode", .string(ByteString(interpolation.rawValue))),
            ("coordinate_transformation_mode", .string(ByteString(coordinates.rawValue))),
        ]
        var since = coordinates == .halfPixelSymmetric ? 19 : 11
        if interpolation == .nearest {
            attributes.append(("nearest_mode", .string(ByteString(try writtenRounding(inputs).rawValue))))
        }
        if interpolation == .cubic { attributes.append(("cubic_coeff_a", .float(cubicCoefficient))) }
        if excludesOutside { attributes.append(("exclude_outside", .int(1))) }
        if extrapolation != 0 { attributes.append(("extrapolation_value", .float(extrapolation))) }
        if antialiases { attributes.append(("antialias", .int(1))) }
        if let axes { attributes.append(("axes", .ints(axes))) }
        if policy != .stretch {
            attributes.append(("keep_aspect_ratio_policy", .string(ByteString(policy.rawValue))))
        }
        if antialiases || axes != nil || policy != .stretch { since = max(since, 18) }
        // An absent roi is an empty name only from version 13 on.
        return WrittenNode("Resize", attributes, since: max(since, 13))
    }

    private func writtenRounding(_ inputs: Inputs) throws(Misfit) -> Rounding {
        guard rounding == .simple else { return rounding }
        let scales = try inputs.optional(2, "scales")?.constant?.elements(as: Float.self)
        guard let scales else {
            throw .unsupported("the rounding of an old Resize whose scales are not known")
        }
        if scales.allSatisfy({ $0 >= 1 }) { return .floor }
        if scales.allSatisfy({ $0 <= 1 }) { return .ceiling }
        throw .unsupported("the rounding of an old Resize that grows and shrinks")
    }
}
