import DCN
import DCNCommandLine
import DCNFiles

/// One `--input`, with the name it is for.
struct BoundInput {
    let name: String
    let file: String
}

/// Finds out which input each argument is for.
///
/// The longest declared name that an argument begins with, before a `=`, is meant; with one input the name may be left
/// out. Throws an `input` error for unknown names and names given twice.
func bind(_ arguments: [String], to model: Model) throws(DCNError) -> [BoundInput] {
    let declared = Set(model.declaredInputs).union(model.inputs.map(\.name))
    var bound: [BoundInput] = []
    for argument in arguments {
        let match = declared.filter { argument.hasPrefix($0 + "=") }.max { $0.utf8.count < $1.utf8.count }
        let input: BoundInput
        if let match {
            input = BoundInput(name: match, file: String(argument.dropFirst(match.count + 1)))
        } else if let only = model.inputs.first, model.inputs.count == 1,
            !argument.contains("=") || isFile(argument)
        {
            input = BoundInput(name: only.name, file: argument)
        } else {
            throw unknown(argument, model)
        }
        guard !bound.contains(where: { $0.name == input.name }) else {
            throw DCNError(.input, .run, "input '\(escaped(input.name))' is given twice")
        }
        bound.append(input)
    }
    return bound
}

private func unknown(_ argument: String, _ model: Model) -> DCNError {
    let names = model.inputs.map { "'" + escaped($0.name) + "'" }.joined(separator: ", ")
    let has = names.isEmpty ? "it has none" : "it has \(names)"
    guard let equals = argument.firstIndex(of: "=") else {
        return DCNError(
            .input, .run, "'\(escaped(argument))' is given without the name of an input, and \(has)")
    }
    return DCNError(.input, .run, "the model has no input '\(escaped(String(argument[..<equals])))', \(has)")
}

/// Reads or makes the value of an input.
struct InputMaker {
    let form: PictureForm
    let seed: UInt64
    let byteLimit: Int

    /// The value, of the form its ending says; an `input` error when it can't be read.
    func datum(_ input: BoundInput, as type: ValueType, number: Int) throws(DCNError) -> Datum {
        if let synthetic = try synthetic(input, number: number) {
            return .tensor(try made(synthetic, input, type))
        }
        let path = input.file
        let lower = path.lowercased()
        if lower.hasSuffix(".pb") { return try readInput(path, as: type) }
        if lower.hasSuffix(".npz") { return try fromArchive(input, type) }
        let wanted = type.inner.tensor?.element
        let tensor: Tensor
        if lower.hasSuffix(".npy") {
            tensor = try readNpy(path, wanted: wanted)
        } else if lower.hasSuffix(".png") || lower.hasSuffix(".jpg") || lower.hasSuffix(".jpeg") {
            tensor = try DCNFiles.tensor(of: try Picture(contentsOf: path), as: type, form, named: input.name)
                .tensor
        } else {
            throw inputError(
                path,
                "has an ending that is not read: expected .npy, .npz, .pb, .png, .jpg, or random, zeros or ones"
            )
        }
        return type.wrapping(.tensor(tensor))
    }

    private func synthetic(_ input: BoundInput, number: Int) throws(DCNError) -> Synthetic? {
        switch input.file {
        case "zeros": return .zeros
        case "ones": return .ones
        case "random": return .random(seed: seed &+ UInt64(number) &* 0x1000_0001)
        case let file where file.hasPrefix("random:"):
            guard let seed = UInt64(file.dropFirst("random:".count)) else {
                throw DCNError(
                    .input, .run,
                    "input '\(escaped(input.name))' has the seed '\(escaped(file))', expected random:NUMBER")
            }
            return .random(seed: seed)
        default: return nil
        }
    }

    /// Symbolic extents are 1.
    private func made(_ synthetic: Synthetic, _ input: BoundInput, _ type: ValueType) throws(DCNError)
        -> Tensor
    {
        func misfit(_ reason: String) -> DCNError {
            DCNError(.input, .run, "input '\(escaped(input.name))' \(reason)")
        }
        guard let declared = type.tensor else { throw misfit("is \(type), of which none is made up") }
        guard let shape = declared.shape else { throw misfit("has no known rank: --shape gives it one") }
        let extents = TensorType(declared.element, extents: shape.dimensions.map { $0.fixed ?? 1 })
        guard let bytes = extents.byteCount, bytes <= byteLimit, let tensor = synthetic.tensor(extents) else {
            throw misfit("is \(extents), more than is allowed or there is")
        }
        return tensor
    }

    private func fromArchive(_ input: BoundInput, _ type: ValueType) throws(DCNError) -> Datum {
        let archive = try NpzReader(path: input.file, byteLimit: byteLimit)
        let wanted = type.inner.tensor?.element
        if case .sequence(let element) = type {
            var values: [Datum] = []
            while let tensor = try archive.tensor("\(input.name).\(values.count)", wanted: wanted) {
                values.append(.tensor(tensor))
            }
            return .sequence(DatumList(values), of: element)
        }
        if let tensor = try archive.tensor(input.name, wanted: wanted) {
            return type.wrapping(.tensor(tensor))
        }
        if case .optional(let element) = type { return .optional(nil, of: element) }
        let names = archive.names.prefix(20).map { "'" + escaped($0) + "'" }.joined(separator: ", ")
        throw inputError(input.file, "has no entry '\(escaped(input.name))', it has \(names)")
    }
}

extension ValueType {
    /// The type of the tensors inside.
    var inner: ValueType {
        switch self {
        case .tensor: self
        case .sequence(let element), .optional(let element): element.inner
        }
    }

    /// The value as one of this type: optionals hold it.
    func wrapping(_ datum: Datum) -> Datum {
        if case .optional(let element) = self { .optional(datum, of: element) } else { datum }
    }
}
