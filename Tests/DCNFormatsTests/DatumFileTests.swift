import DCNFormats
import DCNGraph
import Testing

@Suite("Values in protobuf files")
struct DatumFileTests {
    let tensor = Onnx.tensor("", type: 7, [2], .packed(7, [5, -6]))
    let type = ValueType.tensor(TensorType(.int64, nil))

    func read(_ message: Proto, _ type: ValueType) throws -> Datum {
        try readDatum(bytes: message.bytes, named: "v.pb", as: type)
    }

    func numbers(_ datum: Datum?) -> [Int]? { datum?.tensor?.aligned().integers }

    @Test("a tensor, sequences of tensors and of sequences")
    func sequences() throws {
        #expect(numbers(try read(tensor, type)) == [5, -6])
        let sequence = Proto(.int(2, 1), .bytes(3, tensor.bytes), .bytes(3, tensor.bytes))
        guard case .sequence(let found, of: let element) = try read(sequence, .sequence(type)) else {
            Issue.record("no sequence")
            return
        }
        #expect(found.map { numbers($0) } == [[5, -6], [5, -6]] && element == type)
        let nested = Proto(.int(2, 3), .bytes(5, sequence.bytes))
        guard case .sequence(let outer, _) = try read(nested, .sequence(.sequence(type))),
            case .sequence(let inner, _) = outer[0]
        else {
            Issue.record("no sequence of sequences")
            return
        }
        #expect(inner.count == 2)
        #expect(throws: DCNError.self) { try read(nested, .sequence(type)) }
    }

    @Test("optionals with a tensor, with a sequence, with nothing")
    func optionals() throws {
        let full = Proto(.int(2, 1), .bytes(3, tensor.bytes))
        guard case .optional(let value, _) = try read(full, .optional(type)) else {
            Issue.record("no optional")
            return
        }
        #expect(numbers(value) == [5, -6])
        guard case .optional(nil, _) = try read(Proto(.int(2, 0)), .optional(type)) else {
            Issue.record("not empty")
            return
        }
        let sequence = Proto(.int(2, 3), .message(5, .bytes(3, tensor.bytes)))
        guard case .optional(.sequence(let found, _), _) = try read(sequence, .optional(.sequence(type)))
        else {
            Issue.record("no sequence inside")
            return
        }
        #expect(numbers(found[0]) == [5, -6])
        #expect(throws: DCNError.self) { try read(Proto(.message(6)), .optional(type)) }
    }
}
