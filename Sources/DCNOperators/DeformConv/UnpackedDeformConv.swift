internal import DCNGraph

/// A deformable convolution whose weights are known only when it runs, or that is computed in float64.
struct UnpackedDeformConv: Routine {
    let op: DeformConv
    let output: TensorType

    init(_ op: DeformConv, _ call: Call) throws(Misfit) {
        self.op = op
        output = try call.output(0)
        guard output.element == .float32 || output.element == .float64 else {
            throw .unsupported("DeformConv on \(output.element)")
        }
    }

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        let operands = inputs.map { $0?.tensor?.aligned() }
        if output.elementCount == 0 { return [.tensor(try scope.allocate(output).finished)] }
        guard output.element == .float32 else { return [.tensor(try double(operands, scope))] }
        let known = Inputs(inputs.map { $0?.type }, constants: inputs)
        guard let packed = try op.packed(for: known, choices: PackingChoices()),
            let fast = packed.op as? DeformConv
        else { throw .unsupported("this deformable convolution") }
        var given = operands
        for (index, constant) in packed.constants { given[index] = constant }
        return [.tensor(try runChannelsLast(fast, given, rule: fast.layoutRule(for: known), scope))]
    }

    private func double(_ operands: [Tensor?], _ scope: any Scope) throws(Misfit) -> Tensor {
        guard let x = operands[0], let weights = operands[1], let offset = operands[2] else {
            throw .missing("x")
        }
        let result = try scope.allocate(output)
        func values(_ index: Int) -> [Double]? {
            index < operands.count ? operands[index]?.elements(as: Double.self) : nil
        }
        let window = try op.window.resolved(kernel: Array(weights.extents[2...]))
        PlainDeformConv(
            op: op, window: window, input: x.extents, weights: weights.extents, output: output.extents ?? []
        ).run(
            x: x.elements(as: Double.self), weights: weights.elements(as: Double.self),
            offset: offset.elements(as: Double.self), bias: values(3), mask: values(4),
            into: result.elements(as: Double.self))
        return result.finished
    }
}

/// A deformable convolution by its formula, in float64.
struct PlainDeformConv {
    let op: DeformConv
    let window: Window
    let input: [Int]
    let weights: [Int]
    let output: [Int]

    func run(
        x: [Double], weights w: [Double], offset: [Double], bias: [Double]?, mask: [Double]?,
        into y: UnsafeMutableBufferPointer<Double>
    ) {
        let pixels = output[2] * output[3]
        let (taps, perGroup) = (window.taps, weights[1])
        for n in 0..<output[0] {
            for o in 0..<output[1] {
                for p in 0..<pixels {
                    var sum = bias?[o] ?? 0
                    for c in 0..<perGroup {
                        let channel = o / (output[1] / op.groups) * perGroup + c
                        for t in 0..<taps {
                            let field =
                                (n * op.offsetGroups + channel / (input[1] / op.offsetGroups)) * taps + t
                            let place = position(p, t)
                            let value = sample(
                                x, (n * input[1] + channel) * input[2] * input[3],
                                place.y + offset[2 * field * pixels + p],
                                place.x + offset[(2 * field + 1) * pixels + p])
                            sum += w[(o * perGroup + c) * taps + t] * (mask?[field * pixels + p] ?? 1) * value
                        }
                    }
                    y[(n * output[1] + o) * pixels + p] = sum
                }
            }
        }
    }

    private func position(_ pixel: Int, _ tap: Int) -> (y: Double, x: Double) {
        let (oy, ox) = (pixel / output[3], pixel % output[3])
        let (i, j) = (tap / window.kernel[1], tap % window.kernel[1])
        let y = oy * window.strides[0] - window.padding(0, extent: input[2]).begin + i * window.dilations[0]
        let x = ox * window.strides[1] - window.padding(1, extent: input[3]).begin + j * window.dilations[1]
        return (Double(y), Double(x))
    }

    private func sample(_ x: [Double], _ plane: Int, _ py: Double, _ px: Double) -> Double {
        let (height, width) = (input[2], input[3])
        let isZero = op.border == .zero
        let (least, isOutside) = (isZero ? -1.0 : 0.0, { (p: Double, extent: Int) in !(p < Double(extent)) })
        guard isZero ? py > least && px > least : py >= least && px >= least, !isOutside(py, height),
            !isOutside(px, width)
        else { return 0 }
        let (y0, x0) = (py.rounded(.down), px.rounded(.down))
        let (fy, fx) = (py - y0, px - x0)
        func at(_ row: Int, _ column: Int) -> Double {
            if !isZero { return x[plane + min(row, height - 1) * width + min(column, width - 1)] }
            guard row >= 0, row < height, column >= 0, column < width else { return 0 }
            return x[plane + row * width + column]
        }
        let (row, column) = (Int(y0), Int(x0))
        return (1 - fy) * ((1 - fx) * at(row, column) + fx * at(row, column + 1))
            + fy * ((1 - fx) * at(row + 1, column) + fx * at(row + 1, column + 1))
    }
}
