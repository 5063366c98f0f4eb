public import ArgumentParser
public import DCN

/// Bytes as people write them: a number, maybe with K, M or G (powers of 1024).
package func byteCount(_ text: String) throws(UsageMistake) -> Int {
    let factors: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    let factor = text.last.flatMap { factors[Character($0.uppercased())] }
    let digits = factor == nil ? text : String(text.dropLast())
    guard let number = Int(digits), number >= 0,
        case let (bytes, overflow) = number.multipliedReportingOverflow(by: factor ?? 1), !overflow
    else { throw UsageMistake("'\(escaped(text))' is no number of bytes (like 4096, 512M or 2G)") }
    return bytes
}

/// `NAME=1,3,H,640` for each: numbers fix an extent, names keep it symbolic, `?` leaves it unknown.
package func shapes(_ arguments: [String]) throws(UsageMistake) -> [String: Shape] {
    var shapes: [String: Shape] = [:]
    for argument in arguments {
        guard let equals = argument.lastIndex(of: "="), equals != argument.startIndex else {
            throw UsageMistake("--shape '\(escaped(argument))' is not of the form NAME=1,3,H,640")
        }
        let text = argument[argument.index(after: equals)...]
        var dimensions: [Dimension] = []
        for part in text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false) {
            if let extent = Int(part) {
                guard extent >= 0 else {
                    throw UsageMistake("--shape '\(escaped(argument))' has the extent \(extent)")
                }
                dimensions.append(.fixed(extent))
            } else {
                guard !part.isEmpty else {
                    throw UsageMistake("--shape '\(escaped(argument))' has an empty extent")
                }
                dimensions.append(part == "?" ? .unknown : .symbol(String(part)))
            }
        }
        shapes[String(argument[..<equals])] = Shape(dimensions)
    }
    return shapes
}

/// Numbers between commas.
package func numberList(_ text: String, _ option: String) throws(UsageMistake) -> [Double] {
    let numbers = text.split(separator: ",").map { Double($0) }
    guard !numbers.isEmpty, !numbers.contains(nil), numbers.count == 1 || numbers.count == 3 else {
        throw UsageMistake("\(option) '\(escaped(text))' is not one number or three with commas between")
    }
    return numbers.compactMap { $0 }
}

/// The instruction set that `DCN_ISA` asks for.
package func wantedInstructionSet() throws(UsageMistake) -> InstructionSet? {
    guard let name = environment("DCN_ISA"), !name.isEmpty else { return nil }
    guard let wanted = InstructionSet(rawValue: name) else {
        let names = InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")
        throw UsageMistake("DCN_ISA is '\(escaped(name))', expected one of \(names)")
    }
    return wanted
}

extension Accuracy: ExpressibleByArgument {}
