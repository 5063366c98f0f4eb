import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Transpose")
struct TransposeTests {
    static let cases: [([Int], [Int])] = [
        ([3, 4], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([1, 5, 1, 7], [3, 1, 0, 2]),
        ([2, 17, 33, 3], [0, 2, 3, 1]),
        ([2, 9, 40, 3], [0, 3, 1, 2]), ([70, 2, 65], [2, 1, 0]), ([1, 4000, 3], [0, 2, 1]),
        ([0, 3], [1, 0]), ([], []),
        ([2, 2, 2, 2, 2, 2, 2, 2, 2, 3], [9, 0, 8, 1, 7, 2, 6, 3, 5, 4]),
    ]

    @Test("y at permuted indices is x, on every instruction set", arguments: cases)
    func permutes(extents: [Int], permutation: [Int]) throws {
        let x = counting(extents)
        let expected = permutation.map { extents[$0] }
        for set in InstructionSet.available {
            let y = try run(Transpose(permutation: permutation), [x], on: set)[0]
            #expect(y.extents == expected)
            let values = y.elements(as: Float.self)
            for index in indices(of: extents) {
                let place = position(permutation.map { index[$0] }, in: expected)
                #expect(values[place] == Float(position(index, in: extents)))
            }
        }
    }

    @Test("elements of every width move", arguments: [ElementType.uint8, .float16, .float64, .complex128])
    func widths(element: ElementType) throws {
        let width = element.byteWidth
        let bytes = (0..<(6 * width)).map { UInt8($0) }
        let x = try #require(Tensor(TensorType(element, extents: [2, 3]), bytesOf: bytes))
        let y = try run(Transpose(), [x])[0].withBytes(Array.init)
        let order = [0, 3, 1, 4, 2, 5]
        #expect(y == order.flatMap { bytes[($0 * width)..<(($0 + 1) * width)] })
    }

    @Test("packed elements and strings move")
    func surrogates() throws {
        let packed = try #require(
            Tensor(TensorType(.int4, extents: [2, 3]), bytesOf: [UInt8](([0x21, 0x43, 0x65]))))
        #expect(try run(Transpose(), [packed])[0].withBytes(Array.init) == [0x41, 0x52, 0x63])
        let texts = ["a", "b", "c", "d", "e", "f"].map { ByteString($0) }
        let strings = try #require(Tensor(extents: [2, 3], strings: texts))
        #expect(try run(Transpose(), [strings])[0].strings.map(\.text) == ["a", "d", "b", "e", "c", "f"])
    }

    @Test("a permutation that names an axis twice is refused")
    func refusal() {
        #expect(throws: Misfit.attribute("perm", because: "names axis 0 twice")) {
            try run(Transpose(permutation: [0, 0]), [counting([2, 2])])
        }
    }
}
