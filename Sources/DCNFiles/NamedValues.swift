package import DCN

/// The tensors in a value with the names of their entries: a sequence gives `NAME.0`, `NAME.1`, …, an empty optional none.
package func entries(of datum: Datum, named name: String) -> [(name: String, tensor: Tensor)] {
    switch datum {
    case .tensor(let tensor): [(name, tensor)]
    case .sequence(let values, _):
        values.enumerated().flatMap { index, value in entries(of: value, named: "\(name).\(index)") }
    case .optional(let value, _): value.map { entries(of: $0, named: name) } ?? []
    }
}

/// Where a command puts values by name: a `.npz` or `.json` file, or a folder of `.npy` files.
package enum Destination: Sendable, Hashable {
    case npz(String), json(String), folder(String)

    /// The destination that a path stands for, by its ending; nil for endings that hold one tensor only.
    package init?(_ path: String) {
        if path.hasSuffix(".npz") {
            self = .npz(path)
        } else if path.hasSuffix(".json") {
            self = .json(path)
        } else if [".npy", ".pb", ".png", ".jpg"].contains(where: { path.hasSuffix($0) }) {
            return nil
        } else {
            self = .folder(path)
        }
    }

    /// Writes all values.
    package func write(_ values: [(name: String, datum: Datum)]) throws(DCNError) {
        let tensors = values.flatMap { entries(of: $0.datum, named: $0.name) }
        switch self {
        case .npz(let path): try writeNpz(path, tensors)
        case .json(let path): try writeFile(path, jsonObject(of: tensors).text + "\n")
        case .folder(let path):
            try makeFolder(path)
            for (name, tensor) in tensors { try writeNpy("\(path)/\(fileName(name)).npy", tensor) }
        }
    }
}

/// Each tensor as an object of type, shape and data (flat, row-major).
package func jsonObject(of tensors: [(name: String, tensor: Tensor)]) -> Json {
    .object(
        tensors.map { name, tensor in
            let plain = widened(rowMajor(tensor))
            return (
                name,
                .object([
                    ("type", .string("\(tensor.type.element)")),
                    ("shape", .array(tensor.extents.map(Json.int))),
                    ("data", .array(elements(plain))),
                ])
            )
        })
}

private func elements(_ tensor: Tensor) -> [Json] {
    switch tensor.type.element {
    case .string: tensor.byteStrings.map { .string($0.text) }
    case .bool: tensor.elements(as: UInt8.self).map { .bool($0 != 0) }
    case .float32:
        tensor.elements(as: Float.self).map {
            $0.isFinite ? .number(Double("\($0)") ?? Double($0)) : .number(Double($0))
        }
    case .uint64:
        tensor.elements(as: UInt64.self).map { Int(exactly: $0).map(Json.int) ?? .number(Double($0)) }
    default: tensor.integers.map { $0.map(Json.int) } ?? numbers(tensor).map(Json.number)
    }
}

/// A name as a file can have it: `/`, `%`, a leading dot and control characters become `%` and two digits.
package func fileName(_ name: String) -> String {
    var result = ""
    for (index, byte) in name.utf8.enumerated() {
        let isPlain = byte >= 32 && byte != 127 && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "%")
        if isPlain && !(index == 0 && byte == UInt8(ascii: ".")) && byte < 128 {
            result.unicodeScalars.append(UnicodeScalar(byte))
        } else {
            result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result.isEmpty ? "%" : result
}
