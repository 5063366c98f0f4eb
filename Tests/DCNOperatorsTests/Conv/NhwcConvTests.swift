import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct NhwcConvTests {
    @Test(arguments: [1, 2])
    func isTheConvolutionOfTurnedOperands(groups: Int) throws {
        var conv = Conv()
        conv.groups = groups
        let x = scattered([2, 5, 6, 4], seed: 1)
        let weight = scattered([6, 3, 2, 4 / groups], seed: 2)
        let bias = scattered([6], seed: 3)
        let y = try run(NhwcConv(conv), [x, weight, bias])[0]
        let turn = Transpose(permutation: [0, 3, 1, 2])
        let plain = try run(conv, [try run(turn, [x])[0], try run(turn, [weight])[0], bias])[0]
        #expect(y.extents == [2, 3, 5, 6])
        let expected = plain.elements(as: Float.self)
        let found = y.elements(as: Float.self)
        for index in indices(of: y.extents) {
            let (n, row, column, channel) = (index[0], index[1], index[2], index[3])
            #expect(
                found[position(index, in: y.extents)] == expected[((n * 6 + channel) * 3 + row) * 5 + column])
        }
    }

    @Test func channelsMustFit() {
        #expect(throws: Misfit.self) {
            try run(NhwcConv(), [scattered([1, 5, 6, 4], seed: 1), scattered([6, 3, 2, 3], seed: 2)])
        }
    }
}
