import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Columns to images")
struct Col2ImTests {
    /// Two blocks of two pixels over three: the middle one is written twice.
    private func image(_ element: ElementType, _ values: [some BitwiseCopyable & Sendable]) throws -> Tensor {
        let columns = try #require(Tensor(TensorType(element, extents: [1, 2, 2]), bytesOf: values))
        let shapes = [Tensor(vector: [Int64(3)]), Tensor(vector: [Int64(2)])]
        let result = try run(Col2Im(), [columns] + shapes)[0]
        #expect(result.type == TensorType(element, extents: [1, 1, 3]))
        return result
    }

    @Test("what overlaps is added up, pairs part by part")
    func sums() throws {
        #expect(try image(.float32, [1, 2, 4, 8] as [Float]).elements(as: Float.self) == [1, 6, 8])
        #expect(try image(.uint8, [1, 200, 100, 8] as [UInt8]).elements(as: UInt8.self) == [1, 44, 8])
        let pairs = try image(.complex64, [1, -1, 2, -2, 4, -4, 8, -8] as [Float])
        #expect(pairs.withBytes { Array($0.bindMemory(to: Float.self)) } == [1, -1, 6, -6, 8, -8])
    }

    @Test("a sum of booleans is true where one of them is; strings have none")
    func booleans() throws {
        #expect(try image(.bool, [0, 1, 1, 0] as [UInt8]).elements(as: UInt8.self) == [0, 1, 0])
        let strings = try #require(
            Tensor(extents: [1, 2, 2], strings: ["a", "b", "c", "d"].map { ByteString($0) }))
        let error = #expect(throws: Misfit.self) {
            try run(Col2Im(), [strings, Tensor(vector: [Int64(3)]), Tensor(vector: [Int64(2)])])
        }
        #expect("\(try #require(error))".contains("strings"))
    }
}
