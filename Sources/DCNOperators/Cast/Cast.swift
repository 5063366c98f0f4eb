internal import CKernels
package import DCNGraph

/// Every element in another element type.
///
/// Floats are rounded to the nearest, to integers towards zero (beyond their range the nearest bound, NaN 0);
/// integers to integers wrap; anything but zero is true. Strings are read and written as decimal numbers.
package struct Cast: Operator {
    package static let name = "Cast"
    /// The type to make.
    package var to: ElementType
    /// Whether 8-bit floats take their greatest number for what is beyond it, rather than infinity or NaN.
    package var saturate: Bool
    /// How a number becomes a power of two in float8e8m0.
    package var rounding: ScaleRounding
    package init(to: ElementType, saturate: Bool = true, rounding: ScaleRounding = .up) {
        self.to = to
        self.saturate = saturate
        self.rounding = rounding
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        guard !x.element.isComplex, !to.isComplex else {
            throw .element(of: "input", expected: "a real type to cast to \(to)", got: x.element)
        }
        return [.tensor(TensorType(to, x.type.shape, layout: x.type.layout))]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        to == .int64 || to == .int32 ? [inputs.knownDimensions.first ?? nil] : [nil]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        let element = inputs.types.first??.tensor?.element ?? to
        let isPlain = !element.isPacked && element != .string && !to.isPacked && to != .string
        return isPlain ? .follow(inputs: [0], outputs: [0]) : .rowMajor
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        if type.element == .string || to == .string { return .routine(ValueRoutine(castStrings)) }
        guard let stored = type.storedExtents, let count = elementCount(of: stored) else {
            throw .missing("the shape of input")
        }
        if type.element == to, let bytes = type.byteCount { return .kernel(copyKernel(byteCount: bytes)) }
        if let kernel = try tableKernel(type.element, count, call.instructionSet) { return .kernel(kernel) }
        return .kernel(try convertKernel(type.element, count))
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [("to", .int(to.rawValue))]
        if !saturate { attributes.append(("saturate", .int(0))) }
        if rounding != .up { attributes.append(("round_mode", .string(ByteString(rounding.rawValue)))) }
        let types = [to, inputs.types.first??.tensor?.element ?? to]
        return WrittenNode(Self.name, attributes, since: types.map(\.castVersion).max() ?? 9)
    }
}

extension Cast {
    /// The kernels in C: between whole types, and where one side is float32.
    private func tableKernel(
        _ from: ElementType, _ count: Int, _ instructionSet: InstructionSet
    ) throws(Misfit) -> TileKernel? {
        guard let source = from.code, let target = to.code, to != .float8e8m0, !to.isPacked, to != .float8e5m2
        else {
            return nil
        }
        let kernels = try KernelTable(instructionSet)
        let isBetweenWhole = from.isWhole && to.isWhole
        guard isBetweenWhole || from == .float32 || to == .float32 else { return nil }
        let (fromBits, toBits) = (from.bitWidth, to.bitWidth)
        let saturates: Int32 = saturate && to != .float16 && to != .bfloat16 ? 1 : 0
        let (isToFloat, isFromFloat) = (to == .float32, from == .float32)
        let tiling = Tiling(count, cost: 2, multipleOf: 64)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let range = tiling[tile]
            let x = UnsafeRawPointer(frame.input(0, as: UInt8.self)) + range.lowerBound * fromBits / 8
            let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self)) + range.lowerBound * toBits / 8
            let table = kernels.table.pointee
            if isToFloat {
                table.to_f32(source, x, y.assumingMemoryBound(to: Float.self), range.count)
            } else if isFromFloat {
                table.from_f32(target, saturates, x.assumingMemoryBound(to: Float.self), y, range.count)
            } else {
                table.cast(source, target, x, y, range.count)
            }
        }
    }

    private func convertKernel(_ from: ElementType, _ count: Int) throws(Misfit) -> TileKernel {
        let reader = try ElementReader(from)
        let writer = try ElementWriter(to, saturate: saturate, rounding: rounding)
        let tiling = Tiling(count, cost: 16, multipleOf: 64)
        let isUnsigned = from == .uint64
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let x = UnsafeRawPointer(frame.input(0, as: UInt8.self))
            let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
            for index in tiling[tile] {
                let bits =
                    reader.isInteger
                    ? writer.bits(of: reader.integer(x, index), isUnsigned: isUnsigned)
                    : writer.bits(of: reader.number(x, index))
                writer.store(bits, y, index)
            }
        }
    }

    private func castStrings(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Datum?] {
        guard let x = values.first??.tensor else { throw .missing("input") }
        if x.type.element == to { return [.tensor(x)] }
        if to == .string { return [Tensor(extents: x.extents, strings: try texts(of: x)).map(Datum.tensor)] }
        let writer = try ElementWriter(to, saturate: saturate, rounding: rounding)
        let output = try scope.allocate(TensorType(to, extents: x.extents))
        for (index, string) in x.strings.enumerated() {
            writer.store(try bits(of: string.text, writer), output.storage.base, index)
        }
        return [.tensor(output.finished)]
    }

    private func bits(of text: String, _ writer: ElementWriter) throws(Misfit) -> UInt64 {
        if to.isInteger {
            if let whole = Int64(text) { return writer.bits(of: whole, isUnsigned: false) }
            if let whole = UInt64(text) { return writer.bits(of: Int64(bitPattern: whole), isUnsigned: true) }
        }
        if to == .float32, let number = Float(numberText(text)) { return UInt64(number.bitPattern) }
        if let number = Double(numberText(text)) { return writer.bits(of: number) }
        throw .value(of: "input", because: "holds '\(escaped(String(text.prefix(40))))', which is no number")
    }
}

extension ElementType {
    /// Whether elements are whole bytes of a type that C computes with.
    var isWhole: Bool { isInteger && !isPacked || self == .bool || self == .float32 || self == .float64 }

    fileprivate var castVersion: Int {
        switch self {
        case .float6e2m3, .float6e3m2: 28
        case .uint2, .int2: 25
        case .float8e8m0: 24
        case .float4e2m1: 23
        case .uint4, .int4: 21
        case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz: 19
        case .bfloat16: 13
        default: 9
        }
    }

    /// How the kernels in C call this type.
    var code: dcn_element? {
        switch self {
        case .float32: DCN_ELEMENT_F32
        case .float64: DCN_ELEMENT_F64
        case .float16: DCN_ELEMENT_F16
        case .bfloat16: DCN_ELEMENT_BF16
        case .float8e4m3fn: DCN_ELEMENT_F8E4M3FN
        case .float8e4m3fnuz: DCN_ELEMENT_F8E4M3FNUZ
        case .float8e5m2: DCN_ELEMENT_F8E5M2
        case .float8e5m2fnuz: DCN_ELEMENT_F8E5M2FNUZ
        case .float8e8m0: DCN_ELEMENT_F8E8M0
        case .float4e2m1: DCN_ELEMENT_F4E2M1
        case .int8: DCN_ELEMENT_I8
        case .uint8: DCN_ELEMENT_U8
        case .int16: DCN_ELEMENT_I16
        case .uint16: DCN_ELEMENT_U16
        case .int32: DCN_ELEMENT_I32
        case .uint32: DCN_ELEMENT_U32
        case .int64: DCN_ELEMENT_I64
        case .uint64: DCN_ELEMENT_U64
        case .bool: DCN_ELEMENT_BOOL
        case .int4: DCN_ELEMENT_I4
        case .uint4: DCN_ELEMENT_U4
        case .int2: DCN_ELEMENT_I2
        case .uint2: DCN_ELEMENT_U2
        case .string, .complex64, .complex128, .float6e2m3, .float6e3m2: nil
        }
    }
}
