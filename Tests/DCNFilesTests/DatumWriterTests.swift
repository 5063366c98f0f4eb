import DCN
import DCNFiles
import DCNFormats
import Testing

@Suite("Values written as protobuf")
struct DatumWriterTests {
    @Test("every element type is read again bit by bit", arguments: ElementType.allCases)
    func tensors(element: ElementType) throws {
        for extents in [[], [0], [5], [2, 3]] {
            let tensor = try #require(Synthetic.random(seed: 1).tensor(TensorType(element, extents: extents)))
            let back = try readDatum(
                bytes: encoded(.tensor(tensor), named: "t"), named: "t.pb", as: .tensor(tensor.type))
            let found = try #require(back.tensor)
            #expect(found.type == tensor.type)
            #expect(found.withBytes { Array($0) } == tensor.withBytes { Array($0) })
            #expect(found.byteStrings == tensor.byteStrings)
        }
    }

    @Test("sequences and optionals are read again, nested ones too")
    func values() throws {
        let element = ValueType.tensor(TensorType(.int64, nil))
        let one = Datum.tensor(Tensor(vector: [1, 2] as [Int64]))
        let nested = Datum.sequence(
            [.sequence([one, one], of: element), .sequence([], of: element)], of: .sequence(element))
        let back = try readDatum(bytes: encoded(nested), named: "s.pb", as: nested.type)
        #expect(entries(of: back, named: "s").map(\.name) == ["s.0.0", "s.0.1"])
        for value in [Datum?.none, one] {
            let optional = Datum.optional(value, of: element)
            let found = try readDatum(bytes: encoded(optional), named: "o.pb", as: optional.type)
            #expect(entries(of: found, named: "o").count == (value == nil ? 0 : 1))
        }
    }
}
