import DCN
import DCNFiles
import DCNOperators
import DCNVision
import Testing

@Suite struct OffsetsTests {
    /// A layer of 3 × 3 taps over 8 × 8 pixels whose offsets are `offset(channel, row, column)`, channels (tap, y or x).
    private func layer(
        dilation: Int = 1, _ offset: (_ channel: Int, _ row: Int, _ column: Int) -> Float
    ) throws -> SamplingLayer {
        var graph = Graph(name: "layer")
        let x = graph.addInput("x", .tensor(TensorType(.float32, extents: [1, 1, 8, 8])))
        let weights = try #require(Tensor(extents: [1, 1, 3, 3], [Float](repeating: 1, count: 9)))
        let values = (0..<18 * 64).map { offset($0 / 64, $0 / 8 % 8, $0 % 8) }
        let offsets = try #require(Tensor(extents: [1, 18, 8, 8], values))
        var op = DeformConv()
        op.window.kernel = [3, 3]
        op.window.dilations = [dilation, dilation]
        op.window.pads = Array(repeating: dilation, count: 4)
        let y = try graph.append(
            op,
            [x, graph.addConstant("w", .tensor(weights)), graph.addInput("offset", .tensor(offsets.type))],
            named: "layer")
        graph.addOutput(y[0])
        let model = Model(graph: graph)
        let watcher = OffsetWatcher(model)
        #expect(watcher.count == 1)
        var session = try Session(model, options: Options(observer: watcher))
        let image = try #require(Tensor(extents: [1, 1, 8, 8], [Float](repeating: 1, count: 64)))
        let inputs = ["x": image, "offset": offsets]
        let _: [String: Tensor] = try session.run(inputs)
        return try #require(watcher.sampled(inputs).first)
    }

    @Test(arguments: [1, 2, 3]) func withoutOffsetsDilationIsTheLayers(_ dilation: Int) throws {
        let layer = try layer(dilation: dilation) { _, _, _ in 0 }
        #expect(layer.effectiveDilation(row: 3, column: 4) == Double(dilation))
        #expect(layer.magnitude(row: 3, column: 4) == 0)
        #expect(layer.centre(row: 3, column: 4) == (3, 4))
    }

    @Test func offsetsThatStretchTheKernelStretchItsDilation() throws {
        // Each tap moves away from the middle by as much as it stands from it.
        let layer = try layer { channel, _, _ in
            let tap = channel / 2
            return Float(channel % 2 == 0 ? tap / 3 - 1 : tap % 3 - 1)
        }
        #expect(layer.effectiveDilation(row: 0, column: 0) == 2)
        let expected = (4 + 4 * 2.0.squareRoot()) / 9
        #expect(abs(layer.magnitude(row: 0, column: 0) - expected) < 1e-12)
        #expect(layer.position(0, 0, row: 4, column: 5) == (2, 3))
    }

    @Test func aCommonShiftChangesNoDilation() throws {
        let layer = try layer { channel, _, _ in channel % 2 == 0 ? 3 : -2 }
        #expect(layer.effectiveDilation(row: 2, column: 2) == 1)
        #expect(layer.position(0, 4, row: 2, column: 2) == (5, 0))
    }

    @Test func filtersCountAsWhatTheyStandOn() throws {
        let small = Box(0, 0, 50, 50)
        let large = Box(0, 0, 400, 400)
        #expect(ObjectSize(at: (20, 20), among: [large, small]) == .small)
        #expect(ObjectSize(at: (100, 20), among: [large, small]) == .large)
        #expect(ObjectSize(at: (100, 20), among: [Box(0, 0, 150, 150)]) == .medium)
        #expect(ObjectSize(at: (500, 20), among: [large, small]) == .background)
        let layer = try layer { _, row, _ in row < 4 ? 0 : 1 }
        let sizes = layer.dilations(among: [Box(-1, -1, 8, 3.5)]) { $0 }
        #expect(sizes[.small]?.count == 32)
        #expect(sizes[.background]?.count == 32)
    }

    @Test func pointsAreTracedIntoThePicture() throws {
        let layer = try layer { _, _, _ in 0 }
        let view = SamplingView([layer], extents: [32, 32], placement: Placement())
        let points = view.points(of: 0, row: 2, column: 3, depth: 2)
        #expect(points.count == 9)
        // A pixel of the layer covers 4 × 4 of the picture: its middle lies at 4 · place + 1.5.
        #expect(points.map(\.y).min() == 5.5)
        #expect(points.map(\.x).max() == 17.5)
        #expect(view.output(of: layer, at: (9.5, 13.5)) == (2, 3))
    }

    @Test func aSpreadIsThatOfItsNumbers() {
        let spread = Spread([1, 3, .nan])
        #expect(spread.count == 2 && spread.mean == 2 && spread.deviation == 1 && spread.range == (1, 3))
        #expect(Spread([]).mean == 0)
    }
}
