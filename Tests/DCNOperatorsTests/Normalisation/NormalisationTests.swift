import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Normalisation")
struct NormalisationTests {
    private func agree(_ op: any Operator, _ inputs: [Tensor], followsLayout: Bool = false) throws {
        let expected = try run(op, inputs.map(doubled))[0]
        for set in InstructionSet.available {
            let rows = try run(op, inputs, on: set)[0].elements(as: Float.self)
            #expect(distance(rows, expected.elements(as: Double.self)) < 1e-4, "\(op.name) \(set)")
            guard followsLayout else { continue }
            let values = try #require(
                Tensor(extents: expected.extents, expected.elements(as: Double.self).map { Float($0) }))
            let last = try run(op, [channelsLast(inputs[0])] + inputs.dropFirst(), on: set)[0]
            let wanted = channelsLast(values).elements(as: Float.self).map { Double($0) }
            #expect(distance(last.elements(as: Float.self), wanted) < 1e-4, "\(op.name) \(set)")
        }
    }

    private func vector(_ count: Int, _ salt: Int) -> Tensor {
        Tensor(vector: (0..<count).map { Float(($0 * 7 + salt) % 5 + 1) / 3 })
    }

    @Test("vector kernels agree with double precision in both layouts")
    func kernels() throws {
        let x = shuffled([2, 18, 3, 5])
        let parameters = [vector(18, 1), vector(18, 2)]
        try agree(
            BatchNormalization(), [x] + parameters + [vector(18, 3), vector(18, 4)], followsLayout: true)
        try agree(LocalResponseNormalization(size: 5, alpha: 0.1), [x], followsLayout: true)
        try agree(GroupNormalization(groups: nil), [x] + parameters)
        try agree(GroupNormalization(groups: 3), [x] + parameters)
        try agree(GroupNormalization(groups: 2, hasGroupScales: true), [x, vector(2, 1), vector(2, 2)])
        try agree(LayerNormalization(), [x, vector(5, 1), vector(5, 2)])
        try agree(LayerNormalization(isSimplified: true), [x, vector(5, 1)])
        try agree(LayerNormalization(axis: 1), [x, shuffled([18, 1, 5]), shuffled([3, 1])])
    }

    @Test("training gives moved statistics")
    func training() throws {
        let x = try #require(Tensor(extents: [2, 1, 2], [Float(1), 2, 3, 6]))
        let one = Tensor(vector: [Float(1)])
        let outputs = try run(
            BatchNormalization(momentum: 0.5, isTraining: true), [x, one, one, one, one], outputs: 3)
        #expect(outputs[1].elements(as: Float.self) == [2])
        #expect(outputs[2].elements(as: Float.self) == [2.25])
    }
}
