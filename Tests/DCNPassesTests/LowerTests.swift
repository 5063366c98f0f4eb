import DCNGraph
import DCNOperators
import DCNPasses
import DCNRuntime
import TestSupport
import Testing

@Suite struct LowerTests {
    /// Regions of (batch, x1, y1, x2, y2): inside, across each border, far outside, without size, inverted, and in
    /// images that are not there.
    private static let regions: [Float] = [
        0, 1, 1, 9, 7, 1, -6, 2, 5, 30, 0, 12, 9, 25, 19, 1, -90, -90, -80, -80, 0, 4, 4, 4, 4, 1, 9, 8, 3, 2,
        2, 1, 1, 5, 5, -1, 1, 1, 5, 5, 0, 3.3, 2.7, 3.9, 3.1,
    ]
    private static let turned: [Float] = [
        0, 5, 5, 9, 4, 0.4, 1, 0, 0, 6, 3, -2, 0, 11, 9, 2, 8, 1.5707964, 1, 40, 40, 3, 3, 1, 0, 5, 5, 0, 0,
        0,
    ]

    private static func bins(_ ratio: Int, _ offset: Float, _ minimum: Float?, height: Int = 2) -> RegionBins
    {
        RegionBins(
            height: height, width: 3, scale: 0.5, samplingRatio: ratio, offset: offset, minimum: minimum)
    }

    private static func align(
        _ ratio: Int, _ mode: RoiAlign.Mode, offset: Float = 0.5, minimum: Float? = nil
    ) -> RoiAlign { RoiAlign(bins(ratio, offset, minimum), mode: mode) }

    private static var sensitive: RoiAlign {
        var op = RoiAlign(RegionBins(height: 3, width: 3, scale: 0.5, samplingRatio: 2, offset: 0.5))
        op.isPositionSensitive = true
        return op
    }

    private static let square = RegionBins(height: 3, width: 3, scale: 0.5, minimum: 0.1)

    /// Operators on images [2, 18, 6, 7] and regions.
    private static let pools: [any Operator & Sendable] = [
        align(2, .average), align(0, .average, offset: 0, minimum: 1), align(0, .average, minimum: 1),
        align(2, .maximum(initial: -10_000)), align(0, .maximum(initial: -10_000)),
        align(3, .maximum(initial: 0), offset: 0, minimum: 1), sensitive,
        DeformRoiPool(bins(0, 0.5, nil), displacementScale: 0.1), PrRoiPool(bins(0, 0, nil)),
        PSRoiPool(square, outputChannels: 2, group: 3),
        PSRoiPool(square, outputChannels: 2, group: 3, roundsAfterScaling: true),
        DeformPSRoiPool(
            square, outputChannels: 2, group: 3, part: 3, samples: [2, 3], displacementScale: 0.1),
    ]

    private func lowers(_ op: any Operator, _ build: inout Builder, _ inputs: [ValueID?]) throws -> Graph {
        build.graph.addOutput(try build.node(op, inputs, "y"))
        let (lowered, log) = try after(Lower(), build.graph)
        #expect(log.contains { $0.rule == "lower" && $0.node == "y" })
        try expectSameAnswers(build.graph, lowered)
        return lowered
    }

    @Test(arguments: pools.indices) func pooledRegionsAreTheSame(_ index: Int) throws {
        var build = Builder()
        let x = build.input("x", [2, 18, 6, 7])
        let count = Self.regions.count / 5
        let rois = try #require(Tensor(extents: [count, 5], Self.regions))
        let regions = build.graph.addConstant("rois", .tensor(rois))
        let lowered = try lowers(Self.pools[index], &build, [x, regions])
        for id in lowered.nodes {
            let node = lowered[id]
            let operands = lowered.operands(of: node.inputs, bodies: [], outputCount: 1)
            #expect(throws: Never.self) { _ = try node.op.written(for: operands, opset: 22) }
        }
    }

    @Test(arguments: [0, 2]) func turnedRegionsAreTheSame(_ ratio: Int) throws {
        var op = Self.align(ratio, .average)
        op.angleScale = -1
        var build = Builder()
        let x = build.input("x", [2, 3, 6, 7])
        let rois = try #require(Tensor(extents: [Self.turned.count / 6, 6], Self.turned))
        _ = try lowers(op, &build, [x, build.graph.addConstant("rois", .tensor(rois))])
    }

    @Test func noRegionsGiveNothing() throws {
        for op in Self.pools {
            var build = Builder()
            let x = build.input("x", [2, 18, 6, 7])
            let rois = build.input("rois", [0, 5])
            build.graph.addOutput(try build.node(op, [x, rois], "y"))
            let lowered = try after(Lower(), build.graph).graph
            #expect(try answers(lowered) == [[]])
        }
    }

    @Test(arguments: [false, true]) func clampedBordersAreMasks(_ hasMask: Bool) throws {
        var op = DeformConv()
        op.border = .clamp
        op.window.strides = [2, 1]
        op.window.pads = [1, 2, 1, 0]
        op.offsetGroups = 2
        var build = Builder()
        let inputs: [ValueID?] = [
            build.input("x", [2, 4, 5, 6]), build.constant("w", [3, 4, 3, 3]),
            build.input("offset", [2, 36, 3, 6]), nil, hasMask ? build.input("mask", [2, 18, 3, 6]) : nil,
        ]
        let lowered = try lowers(op, &build, inputs)
        #expect(operators(lowered).contains("DeformConv"))
    }

    @Test(arguments: CornerPool.Direction.allCases) func cornersAreRunningMaxima(
        _ direction: CornerPool.Direction
    ) throws {
        var build = Builder()
        _ = try lowers(CornerPool(direction: direction), &build, [build.input("x", [2, 3, 5, 7])])
    }

    @Test(arguments: [(1, 1), (5, 1), (3, 4)]) func masksAreLaidOverImages(_ height: Int, _ width: Int) throws
    {
        for distributes in [false, true] {
            let op = PSAMask(distributes: distributes, maskHeight: height, maskWidth: width)
            var build = Builder()
            _ = try lowers(op, &build, [build.input("x", [2, height * width, 4, 3])])
        }
    }

    @Test func boxesThatAreTheSameOverlapWholly() throws {
        let boxes: [Float] = [
            5, 5, 4, 2, 0.3, 5, 5, 4, 2, 0.3, 5, 5, 4, 2, 3.4415927, 5, 5, 2, 4, 1.8707963, 9, 5, 4, 2, 0.3,
            5, 6, 4, 2, 0.3, 90, 5, 4, 2, 0, 5, 5, 1, 1, 0.3,
        ]
        let scores: [Float] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
        for threshold in [0.01, 0.1, 0.3, 0.4, 0.9, 0.999] as [Float] {
            var build = Builder()
            let count = scores.count
            let given = try #require(Tensor(extents: [1, count, 5], boxes))
            let marks = try #require(Tensor(extents: [1, 1, count], scores))
            let inputs = [
                build.graph.addConstant("boxes", .tensor(given)),
                build.graph.addConstant("scores", .tensor(marks)),
            ]
            let op = RotatedSuppression(threshold: threshold, leastScore: 0)
            build.graph.addOutput(try build.node(op, inputs, "kept"))
            let lowered = try after(Lower(), build.graph).graph
            func kept(_ graph: Graph) throws -> [Int]? {
                var session = try Session(Model(graph: graph))
                let results: [String: Tensor] = try session.run([String: Tensor]())
                return results["kept"]?.integers
            }
            #expect(try kept(lowered) == kept(build.graph))
        }
    }

    @Test func whatCannotBeSaidSaysWhy() throws {
        var build = Builder()
        let type = ValueType.tensor(TensorType(.float32, Shape([2, .unknown, 6, 7])))
        let x = build.graph.addInput("x", type)
        let op = Self.align(2, .maximum(initial: -10_000))
        build.graph.addOutput(try build.node(op, [x, build.input("rois", [1, 5])], "y"))
        var (log, refusals): ([Rewriting], [String: String]) = ([], [:])
        try Lower().run(on: &build.graph, log: &log, refusals: &refusals)
        #expect(log.isEmpty && operators(build.graph) == ["RoiAlign"])
        #expect(
            Array(refusals.values) == [
                "RoiAlign needs a known number of channels to be written in standard operators"
            ])
    }

    @Test func halfFloatsAreWidenedAndRoundedOnce() throws {
        var build = Builder()
        let x = build.graph.addInput("x", .tensor(TensorType(.float16, extents: [1, 2, 6, 7])))
        let rois = build.graph.addInput("rois", .tensor(TensorType(.float16, extents: [3, 6])))
        var op = Self.align(2, .average)
        op.angleScale = 1
        build.graph.addOutput(try build.node(op, [x, rois], "y"))
        let (lowered, log) = try after(Lower(), build.graph)
        #expect(log.map(\.rule) == ["lower"])
        #expect(lowered[lowered.outputs[0]].type == build.graph[build.graph.outputs[0]].type)
        #expect(operators(lowered).count { $0 == "Cast" } >= 3 && !operators(lowered).contains(RoiAlign.name))
    }
}
