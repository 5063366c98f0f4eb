internal import DCNGraph

/// A number as written in a string tensor, in the form that Swift reads: spaces cut off, infinity spelled in any case.
func numberText(_ text: String) -> String {
    let trimmed = text.drop { $0 == " " || $0 == "\t" || $0 == "\n" }
    var body = String(trimmed)
    while let last = body.last, last == " " || last == "\t" || last == "\n" { body.removeLast() }
    switch body.lowercased() {
    case "inf", "+inf", "infinity", "+infinity": return "inf"
    case "-inf", "-infinity": return "-inf"
    case "nan", "+nan", "-nan": return "nan"
    default: return body.contains("x") || body.contains("X") ? "" : body
    }
}

/// The elements of a tensor of numbers as decimal numbers, the shortest that give the same number again.
func texts(of tensor: Tensor) throws(Misfit) -> [ByteString] {
    let reader = try ElementReader(tensor.type.element)
    let base = tensor.base
    let texts = (0..<tensor.count).map { index in ByteString(text(reader, base, index)) }
    withExtendedLifetime(tensor) {}
    return texts
}

private func text(_ reader: ElementReader, _ base: UnsafeRawPointer, _ index: Int) -> String {
    switch reader.element {
    case .bool: return reader.integer(base, index) == 0 ? "False" : "True"
    case .uint64: return "\(UInt64(bitPattern: reader.integer(base, index)))"
    case _ where reader.isInteger: return "\(reader.integer(base, index))"
    default: break
    }
    let number = reader.number(base, index)
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-INF" : "INF" }
    if let format = NarrowFloat(reader.element) { return "\(format.shortest(number))" }
    return reader.element == .float64 ? "\(number)" : "\(Float(number))"
}
