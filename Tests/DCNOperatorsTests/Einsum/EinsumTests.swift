import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct EinsumTests {
    @Test(
        arguments: [
            ("ij,jk->ik", [[3, 4], [4, 5]], [3, 5]), ("bij,bjk", [[2, 3, 4], [2, 4, 5]], [3, 5]),
            ("ij->ji", [[3, 4]], [4, 3]), ("ii->i", [[4, 4]], [4]), ("ii", [[4, 4]], []),
            ("i,j->ij", [[3], [2]], [3, 2]),
            ("...ij,...jk->...ik", [[2, 1, 3, 4], [5, 4, 2]], [2, 5, 3, 2]),
            ("ij,ij,ij->", [[2, 3], [2, 3], [2, 3]], []),
            ("i...->...", [[3, 2, 2]], [2, 2]),
        ] as [(String, [[Int]], [Int])])
    func extentsFollowFromLetters(_ equation: String, _ operands: [[Int]], _ expected: [Int]) throws {
        let y = try run(Einsum(equation), operands.map { counting($0) })[0]
        #expect(y.extents == expected)
    }

    @Test func sumsWhatTheFormulaSums() throws {
        let a = scattered([2, 3, 4], seed: 1)
        let b = scattered([4, 3, 5], seed: 2)
        let y = try run(Einsum("bij, jik -> kb"), [a, b])[0].elements(as: Float.self)
        let (av, bv) = (a.elements(as: Float.self), b.elements(as: Float.self))
        for index in indices(of: [5, 2]) {
            var sum = 0.0
            for (i, j) in indices(of: [3, 4]).map({ ($0[0], $0[1]) }) {
                sum +=
                    Double(av[position([index[1], i, j], in: [2, 3, 4])])
                    * Double(bv[position([j, i, index[0]], in: [4, 3, 5])])
            }
            #expect(abs(Double(y[position(index, in: [5, 2])]) - sum) < 1e-5)
        }
    }

    @Test func takesTheDiagonalOfALetterTwice() throws {
        let a = counting([3, 3])
        #expect(try run(Einsum("ii->i"), [a])[0].elements(as: Float.self) == [0, 4, 8])
        #expect(try run(Einsum("ii"), [a])[0].elements(as: Float.self) == [12])
    }

    @Test(arguments: [
        "ij,jk->iz", "i->ii", "ij", "i,j", "ijk->", "i1->i", "..i->i", "i...j...->i", "i->j->k", "",
    ])
    func refusesEquationsThatMeanNothing(_ equation: String) {
        #expect(throws: Misfit.self) {
            try run(Einsum(equation), [counting([2]), counting([2]), counting([2])])
        }
    }
}
