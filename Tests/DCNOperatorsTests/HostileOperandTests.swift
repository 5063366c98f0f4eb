import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// Operands and attributes that fuzzing found to be taken for right.
@Suite("Operands that do not fit")
struct HostileOperandTests {
    /// What an operator says of operands before anything is computed; it must not take them.
    private func refusal(_ op: any Operator, _ inputs: [Tensor?]) throws -> String {
        "\(try #require(#expect(throws: Misfit.self) { try run(op, inputs) }))"
    }

    private func bytes(_ extents: [Int]) throws -> Tensor {
        try #require(
            Tensor(
                TensorType(.int8, extents: extents),
                bytesOf: [Int8](repeating: 1, count: extents.reduce(1, *))))
    }

    @Test("a sequence where a shape waits for a value")
    func sequence() throws {
        let inputs: [Datum?] = [
            .tensor(counting([2])), .tensor(Tensor(vector: [Int64(1)])),
            .sequence([], of: .tensor(TensorType(.float32, nil))),
        ]
        let error = #expect(throws: Misfit.self) {
            try evaluate(
                TopK(axis: 0, isLargest: true, isSorted: true), inputs, outputCount: 2,
                instructionSet: .baseline, byteLimit: 1 << 20)
        }
        #expect("\(try #require(error))".contains("expected a tensor"))
    }

    @Test("a skip narrower than the rows that it is added to", arguments: [[], [1], [1, 1]])
    func narrowSkip(_ extents: [Int]) throws {
        let op = SkipLayerNormalization(epsilon: 1e-5, isSimplified: false)
        let said = try refusal(op, [counting([2, 3, 5]), counting(extents), counting([5])])
        #expect(said.contains("skip"))
    }

    @Test("displacements that are no floats")
    func displacements() throws {
        let op = DeformRoiPool(RegionBins(height: 2, width: 2), displacementScale: 0.1)
        let said = try refusal(
            op, [counting([1, 1, 4, 4]), counting([1, 5]), bytes([1, 2, 2, 2])])
        #expect(said.contains("offset is int8"))
    }

    @Test(
        "a mask of numbers that attention cannot read",
        arguments: [ElementType.float8e4m3fn, .uint4, .complex64])
    func mask(_ element: ElementType) throws {
        let (rows, byteCount) = (
            counting([1, 1, 2, 4]), element == .complex64 ? 32 : element == .uint4 ? 2 : 4
        )
        let mask = try #require(
            Tensor(
                TensorType(element, extents: [2, 2]), bytesOf: [UInt8](repeating: 0, count: byteCount)))
        #expect(try refusal(Attention(), [rows, rows, rows, mask]).contains("attn_mask is \(element)"))
    }

    @Test("a bias that is no float")
    func bias() throws {
        let op = MaskedConv(padding: [0, 0], strides: [1, 1])
        let said = try refusal(
            op, [counting([1, 1, 2, 2]), counting([1, 2, 2]), counting([1, 1, 1, 1]), bytes([1])])
        #expect(said.contains("bias is int8"))
    }

    @Test("a bias or residual of another type than x")
    func narrowBias() throws {
        let (x, weight) = (counting([1, 1, 2, 2]), counting([1, 1, 1, 1]))
        let offset = counting([1, 2, 2, 2])
        #expect(try refusal(Conv(), [x, weight, bytes([1])]).contains("bias is int8"))
        #expect(try refusal(Conv(), [x, weight, doubled(counting([1]))]).contains("bias is float64"))
        #expect(try refusal(ConvTranspose(), [x, weight, bytes([1])]).contains("bias is int8"))
        #expect(try refusal(DeformConv(), [x, weight, offset, bytes([1])]).contains("bias is int8"))
        let residual = try bytes([1, 1, 2, 2])
        #expect(try refusal(Conv(), [x, weight, nil, residual]).contains("residual is int8"))
        #expect(try refusal(ConvTranspose(), [x, weight, nil, residual]).contains("residual is int8"))
    }

    @Test("a residual of another shape than the convolution's result", arguments: [[1], [1, 1, 2, 1]])
    func strayResidual(_ extents: [Int]) throws {
        let (x, weight) = (counting([1, 1, 2, 2]), counting([1, 1, 1, 1]))
        let offset = counting([1, 2, 2, 2]), residual = counting(extents)
        #expect(try refusal(Conv(), [x, weight, nil, residual]).contains("residual"))
        #expect(try refusal(ConvTranspose(), [x, weight, nil, residual]).contains("residual"))
        #expect(try refusal(DeformConv(), [x, weight, offset, nil, nil, residual]).contains("residual"))
    }

    @Test(
        "weights to be packed beside an image of which nothing is known",
        arguments: [[3], [2, 2, 3], [4, 1, 3, 3]])
    func weights(_ extents: [Int]) throws {
        var op = DeformConv()
        op.groups = extents.count == 4 ? Int.max : 1
        let inputs = Inputs(
            [
                .tensor(TensorType(.float32, nil)), .tensor(counting(extents).type),
                .tensor(TensorType(.float32, nil)),
            ],
            constants: [nil, .tensor(counting(extents)), nil])
        #expect(throws: Misfit.self) { try op.boundedOutputTypes(for: inputs) }
        if extents.count != 4 {
            let form = try op.packed(for: inputs, choices: PackingChoices())
            #expect(form == nil)
        }
    }

    @Test("positions of another rank")
    func positions() throws {
        let window = PoolWindow(kernel: [2, 2])
        let positions = try #require(Tensor(extents: [1, 1, 1, 1, 0], [Int64]()))
        let said = try refusal(MaxUnpool(window), [counting([1, 1, 1, 1]), positions])
        #expect(said.contains("rank"))
    }

    @Test("no heads")
    func heads() throws {
        let x = counting([1, 2, 4])
        for (queries, keys) in [(0, 1), (1, 0), (Int.min, 1), (1, 2), (3, 2)] {
            let op = LinearAttention(queryHeads: queries, keyHeads: keys, rule: .gated)
            #expect(try refusal(op, [x, x, x]).contains("num_heads"))
        }
    }

    @Test("pads that take off more than there is")
    func cropping() throws {
        let operands = [counting([1, 1, 2, 2]), counting([1, 1, 1, 1]), counting([1, 2, 2, 2])]
        for pads in [[-3, 0, 0, 0], [0, -2, 0, -1], [-1 << 31, -1 << 31, -1 << 31, -1 << 31]] {
            var (plain, deformable) = (Conv(), DeformConv())
            (plain.window.pads, deformable.window.pads) = (pads, pads)
            #expect(try refusal(plain, Array(operands.prefix(2))).contains("pads"))
            #expect(try refusal(deformable, operands).contains("pads"))
        }
    }

    @Test("anchors that are not there", arguments: [-1, 1, Int.max])
    func anchors(_ choice: Int) throws {
        let op = YoloDetection(
            classes: 1, anchors: 1, leastScore: 0, threshold: 0, sizes: [1, 1, 1], choice: [choice],
            scales: [1])
        #expect(try refusal(op, [counting([1, 6, 1, 1])]).contains("mask does not choose"))
    }

    @Test("blocks as large as numbers are")
    func blocks() throws {
        let op = QuantizeLinear(axis: 0, blockSize: .max)
        let said = try refusal(op, [counting([4]), counting([2])])
        #expect(said.contains("block_size is \(Int.max), the limit is"))
    }

    @Test("another layout of a tensor that has no channels")
    func vector() throws {
        #expect(try refusal(Relayout(to: .channelsLast), [counting([3])]).contains("rank 1"))
    }

    @Test("a shift of levels as large as numbers are")
    func levels() throws {
        let op = MultiLevelRoiAlign(
            RegionBins(height: 1, width: 1), scales: [1], canonicalSize: 56, levelShift: .max)
        let said = try refusal(op, [counting([1, 5]), counting([1, 1, 2, 2])])
        #expect(said.contains("shift of levels"))
    }

    @Test("operands that lie otherwise than a rule has them")
    func layouts() throws {
        let row = ValueType.tensor(TensorType(.float32, extents: [1, 2, 3, 3]))
        let last = ValueType.tensor(TensorType(.float32, extents: [1, 2, 3, 3]).with(layout: .channelsLast))
        let rules: [(LayoutRule, [ValueType?], Bool)] = [
            (.rowMajor, [row, nil], true), (.rowMajor, [row, last], false),
            (.channelsLast(inputs: [0], outputs: [0]), [last, row], true),
            (.channelsLast(inputs: [0], outputs: [0]), [row, row], false),
            (.channelsLast(inputs: [0], outputs: [0]), [last, last], false),
            (.channelsLast(inputs: [0], outputs: [0], either: [1]), [last, last], true),
            (.follow(inputs: [0, 1], outputs: [0]), [last, last], true),
            (.follow(inputs: [0, 1], outputs: [0]), [row, row, row], true),
            (.follow(inputs: [0, 1], outputs: [0]), [last, row], false),
            (.follow(inputs: [0], outputs: [0]), [row, last], false),
        ]
        for (rule, types, fits) in rules {
            if fits {
                try rule.expect(types)
            } else {
                #expect(throws: Misfit.self, "\(rule) \(types)") { try rule.expect(types) }
            }
        }
    }

    @Test("a whole output shape where there is hardly any")
    func outputShape() throws {
        var node = SourceNode(opType: "ConvTranspose", version: 11, inputs: ["x"], outputs: ["y"])
        node.attributes = ["output_shape": .ints([4])]
        node.operands = Inputs([.tensor(TensorType(.float32, extents: [4]))])
        let table = try #require(Catalogue.dialects.first { $0.domain == "" })
        let spelling = try #require(table.spellings["ConvTranspose"])
        // Whatever it is taken to mean, that is no reason to stop.
        _ = try? spelling(node)
        #expect(node.askedNames.contains("output_shape"))
    }

    @Test(
        "shapes said to hold more extents than a tensor has axes, none of them known",
        arguments: [
            Expand() as any Operator, Tile(), Reshape(), Unsqueeze(), Col2Im(), Slice(),
            ConstantOfShape(element: .float32, bits: 0),
        ])
    func manyAxes(_ op: any Operator) {
        let list = ValueType.tensor(TensorType(.int64, extents: [1 << 37]))
        let data = ValueType.tensor(TensorType(.float32, op is Tile ? nil : Shape([1, 3, 4])))
        let inputs = Inputs((op is ConstantOfShape ? [] : [data]) + [list, list])
        let error = #expect(throws: Misfit.self) { try op.boundedOutputTypes(for: inputs) }
        #expect("\(error as Any)".contains("137438953472"), "\(op.name)")
    }

    @Test("fewer regions than none")
    func regionCount() throws {
        var node = SourceNode(
            domain: "org.pytorch._caffe2", opType: "RoIAlign", version: 1, inputs: ["x", "rois"],
            outputs: ["y"])
        let types = [[1, 1, 4, 4], [-1, 4]].map { ValueType.tensor(TensorType(.float32, extents: $0)) }
        node.operands = Inputs(types)
        let table = try #require(Catalogue.dialects.first { $0.domain == node.domain })
        let spelling = try #require(table.spellings["RoIAlign"])
        let op = try spelling(node).op
        #expect(throws: Misfit.self) { try op.boundedOutputTypes(for: Inputs(types)) }
    }
}
