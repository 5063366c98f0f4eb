package import DCNGraph

/// A quantised operand or result: where its scale and zero point stand among the inputs of a call.
struct QuantisedOperand: Sendable {
    let scale: Int
    let zero: Int?
    let isSigned: Bool

    /// The operand whose scale and zero point (which may be left out) stand at these positions.
    init(_ call: Call, scale: Int, zero: Int, element: ElementType) throws(Misfit) {
        guard try call.input(scale).elementCount == 1 else {
            throw .value(of: "input \(scale)", because: "is not one scale")
        }
        if call.has(zero), try call.input(zero).elementCount != 1 {
            throw .value(of: "input \(zero)", because: "is not one zero point")
        }
        self.scale = scale
        self.zero = call.has(zero) ? zero : nil
        isSigned = element == .int8
    }

    func scaleValue(_ frame: Frame) -> Float { frame.input(scale, as: Float.self).pointee }

    func zeroValue(_ frame: Frame) -> Int32 {
        guard let zero else { return 0 }
        return byte(UnsafeRawPointer(frame.input(zero, as: UInt8.self)), 0, isSigned: isSigned)
    }
}

/// Throws unless an operand is of bytes, with a scale of float32 and a zero point of its own type.
func checkQuantised(_ inputs: Inputs, _ x: Operand, scale: Int, zero: Int) throws(Misfit) {
    try x.expect([.int8, .uint8])
    try inputs.required(scale, "\(x.name)_scale").expect([.float32])
    try inputs.optional(zero, "\(x.name)_zero_point")?.expectSameElement(as: x)
}

/// A function of one quantised operand, its result quantised again.
///
/// Operands: x, its scale and zero, scale and zero of y. A quotient that is NaN gives the zero point, and infinite
/// ones the bounds.
package struct QLinearMap: Operator {
    package static let name = "QLinearMap"
    /// What is computed between de-quantising and quantising.
    package enum Function: Sendable, Hashable, Codable {
        case sigmoid
        case leakyRelu(alpha: Float)
    }
    package var function: Function
    package init(_ function: Function) { self.function = function }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try checkQuantised(inputs, x, scale: 1, zero: 2)
        try inputs.required(3, "Y_scale").expect([.float32])
        try inputs.optional(4, "Y_zero_point")?.expectSameElement(as: x)
        return [.tensor(x.type)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        let x = try QuantisedOperand(call, scale: 1, zero: 2, element: type.element)
        let y = try QuantisedOperand(call, scale: 3, zero: 4, element: type.element)
        let tiling = Tiling(type.elementCount ?? 0)
        return .kernel(
            TileKernel(tiles: tiling.tiles, scratch: 256, inPlace: [InPlace(output: 0, input: 0)]) {
                tile, frame in
                let table = frame.scratch(as: UInt8.self)
                let (scale, zero) = (x.scaleValue(frame), x.zeroValue(frame))
                let (resultScale, resultZero) = (y.scaleValue(frame), y.zeroValue(frame))
                for code in 0..<256 {
                    let whole = x.isSigned ? Int32(Int8(truncatingIfNeeded: code)) : Int32(code)
                    let value = apply(Float(whole - zero) * scale) / resultScale
                    table[code] = quantised(value, resultZero, isSigned: y.isSigned)
                }
                let (source, target) = (frame.input(0, as: UInt8.self), frame.output(0, as: UInt8.self))
                for index in tiling[tile] { target[index] = table[Int(source[index])] }
            })
    }

    private func apply(_ x: Float) -> Float {
        switch function {
        case .sigmoid: Float(logistic(Double(x)))
        case .leakyRelu(let alpha): x < 0 ? alpha * x : x
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        switch function {
        case .sigmoid: WrittenNode("QLinearSigmoid", domain: "com.microsoft")
        case .leakyRelu(let alpha):
            WrittenNode("QLinearLeakyRelu", [("alpha", .float(alpha))], domain: "com.microsoft")
        }
    }
}

/// The sum or product of two quantised operands, quantised again, shapes broadcast.
///
/// Operands: A, its scale and zero, B, its scale and zero, scale and zero of the result. A quotient that is NaN gives
/// the zero point, and infinite ones the bounds.
package struct QLinearArithmetic: Operator {
    package static let name = "QLinearArithmetic"
    /// Whether operands are multiplied and not added.
    package var multiplies: Bool
    package init(multiplies: Bool) { self.multiplies = multiplies }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "A")
        let b = try inputs.required(3, "B")
        try checkQuantised(inputs, a, scale: 1, zero: 2)
        try checkQuantised(inputs, b, scale: 4, zero: 5)
        try b.expectSameElement(as: a)
        try inputs.required(6, "C_scale").expect([.float32])
        try inputs.optional(7, "C_zero_point")?.expectSameElement(as: a)
        return [.tensor(TensorType(a.element, try broadcastShape([a, b])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (first, second, output) = (try call.input(0), try call.input(3), try call.output(0))
        let walk = try Broadcast([first, second], output: output, cost: 4).walk(a: 0, b: 1)
        let a = try QuantisedOperand(call, scale: 1, zero: 2, element: first.element)
        let b = try QuantisedOperand(call, scale: 4, zero: 5, element: second.element)
        let c = try QuantisedOperand(call, scale: 6, zero: 7, element: output.element)
        let multiplies = multiplies
        return .kernel(
            TileKernel(tiles: walk.tiles) { tile, frame in
                let scales = (a.scaleValue(frame), b.scaleValue(frame), c.scaleValue(frame))
                let zeros = (a.zeroValue(frame), b.zeroValue(frame), c.zeroValue(frame))
                let isSigned = a.isSigned
                walk.forEach(in: tile) { shape, offset in
                    mapRows(
                        shape, frame.input(0, as: UInt8.self) + offset[0],
                        frame.input(3, as: UInt8.self) + offset[1],
                        frame.output(0, as: UInt8.self) + offset[3]
                    ) { (a: UInt8, b: UInt8) -> UInt8 in
                        let x = Float((isSigned ? Int32(Int8(bitPattern: a)) : Int32(a)) - zeros.0) * scales.0
                        let y = Float((isSigned ? Int32(Int8(bitPattern: b)) : Int32(b)) - zeros.1) * scales.1
                        return quantised((multiplies ? x * y : x + y) / scales.2, zeros.2, isSigned: isSigned)
                    }
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(multiplies ? "QLinearMul" : "QLinearAdd", domain: "com.microsoft")
    }
}
