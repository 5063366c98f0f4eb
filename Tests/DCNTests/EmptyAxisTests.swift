import DCN
import DCNFormats
import DCNGraph
import DCNOperators
import DCNPasses
import TestSupport
import Testing

/// Models whose inputs have no elements: no batch, no pixels, no regions. Each ends in answers or in an error that says
/// what does not fit.
@Suite("Models without elements")
struct EmptyAxisTests {
    @Test("each axis of each input", arguments: ["first", "spellings", "decompositions"])
    func everyAxis(_ group: String) throws {
        let fixtures = FixtureFolder(group)
        var answered = 0
        for name in fixtures.names {
            guard let source = try? readOnnx(contentsOf: fixtures.model(name)) else { continue }
            let constants = Set(source.graph.initialisers.map(\.name))
            for (index, input) in source.graph.inputs.enumerated() where !constants.contains(input.name) {
                guard let shape = input.type?.tensor?.shape else { continue }
                for axis in 0..<shape.rank {
                    for extent in [Dimension.fixed(0), .symbol("none")] {
                        answered += runs(source, with: extent, at: axis, ofInput: index) ? 1 : 0
                    }
                }
            }
        }
        #expect(answered > 0)
    }

    @Test("no images through layers one after the other, each way to compute a convolution")
    func noBatch() throws {
        for (channels, groups, kernel) in [(32, 1, 1), (32, 1, 3), (32, 32, 3), (32, 8, 3), (3, 1, 7)] {
            var graph = Graph()
            let type = TensorType(.float32, ["n", .fixed(channels), 16, 16])
            let x = graph.addInput("x", .tensor(type))
            var value = x
            for layer in 0..<3 {
                var op = Conv()
                op.groups = groups
                op.window.pads = [Int](repeating: kernel / 2, count: 4)
                let shape = [channels, channels / groups, kernel, kernel]
                let weights = Tensor(extents: shape, [Float](repeating: 0.1, count: shape.reduce(1, *)))
                let w = graph.addConstant("w\(layer)", .tensor(try #require(weights)))
                let sums = try graph.append(op, [value, w], named: "conv\(layer)")[0]
                value = try graph.append(Add(), [sums, value], named: "add\(layer)")[0]
                value = try graph.append(Relu(), [value], named: "relu\(layer)")[0]
            }
            graph.addOutput(value, named: "y")
            _ = try Pipeline.canonical.run(on: &graph)
            _ = try Pipeline.fusing(.default).run(on: &graph)
            var session = try Session(Model(graph: graph))
            for count in [0, 2, 0] {
                let image = [Float](repeating: 1, count: count * channels * 256)
                let images = try #require(Tensor(extents: [count, channels, 16, 16], image))
                let answer: [String: Tensor] = try session.run(["x": images])
                #expect(answer["y"]?.extents == [count, channels, 16, 16])
            }
        }
    }

    /// Whether the model runs with the axis empty.
    private func runs(
        _ source: SourceModel, with extent: Dimension, at axis: Int, ofInput index: Int
    ) -> Bool {
        var source = source
        guard let type = source.graph.inputs[index].type?.tensor, var shape = type.shape else { return false }
        shape[axis] = extent
        source.graph.inputs[index].type = .tensor(TensorType(type.element, shape))
        source.graph.valueTypes = []
        for output in source.graph.outputs.indices { source.graph.outputs[output].type = nil }
        do throws(DCNError) {
            var graph = try map(source, dialects: Dialect.standard)
            _ = try Pipeline.canonical.run(on: &graph)
            _ = try Pipeline.fusing(.default).run(on: &graph)
            var session = try Session(Model(graph: graph))
            var inputs: [String: Datum] = [:]
            for input in session.model.inputs {
                guard let type = input.type.tensor, let shape = type.shape else { return false }
                let extents = shape.dimensions.map { $0.fixed ?? ($0 == .symbol("none") ? 0 : 1) }
                let given = TensorType(type.element, extents: extents)
                let bytes = [UInt8](repeating: 0, count: given.byteCount ?? 0)
                guard let tensor = Tensor(given, bytesOf: bytes) else { return false }
                inputs[input.name] = .tensor(tensor)
            }
            let _: [String: Datum] = try session.run(inputs)
            return true
        } catch {
            #expect(error.kind != .defect, "\(error)")
            return false
        }
    }
}
