import DCN
import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// Tiles are cut for the threads at hand; what comes of them is not.
@Suite("The same bits at any number of threads")
struct ThreadCountTests {
    @Test("a detector with deformable layers, on every instruction set", arguments: InstructionSet.available)
    func detector(_ set: InstructionSet) throws {
        let model = try Model(contentsOf: Fixture.root + "/digits/digits.onnx")
        var numbers = Seeded(5)
        var inputs: [String: Tensor] = [:]
        for input in model.inputs {
            let shape = input.type.tensor?.shape?.dimensions ?? []
            inputs[input.name] = numbers.tensor(shape.map { $0.fixed ?? 1 }, scale: 1)
        }
        var expected: [String: [UInt32]] = [:]
        for threads in [1, 2, 3, 7] {
            var session = try Session(model, options: Options(threads: threads, instructionSet: set))
            let results: [String: Tensor] = try session.run(inputs)
            let bits = results.mapValues { $0.elements(as: Float.self).map(\.bitPattern) }
            if threads == 1 { expected = bits }
            #expect(!bits.isEmpty && bits == expected, "\(threads) threads")
        }
    }
}
