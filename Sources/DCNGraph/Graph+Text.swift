extension Graph: CustomStringConvertible {
    /// One line per node: `y: float32[1, 8] = Conv(x, w) {strides: [2, 2]}`.
    public var description: String {
        let names = printedNames()
        func list(_ ids: [ValueID?]) -> String {
            ids.map { $0.map { names[$0.index] } ?? "_" }.joined(separator: ", ")
        }
        let heads = inputs.map { "\(names[$0.index]): \(self[$0].type)" }.joined(separator: ", ")
        var lines = ["graph(\(heads)) -> (\(list(outputs)))"]
        for id in nodes {
            let node = self[id]
            let results = node.outputs.map { output -> String in
                guard let output else { return "_" }
                return "\(names[output.index]): \(self[output].type)"
            }
            var line = "    " + results.joined(separator: ", ") + " = \(node.op.name)(\(list(node.inputs)))"
            let attributes = attributeText(of: node.op)
            if !attributes.isEmpty { line += " " + attributes }
            lines.append(line)
            for body in node.bodies {
                lines += body.description.split(separator: "\n").map { "        " + $0 }
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Names as printed: those of the file, made unique by a number where two values share one.
    private func printedNames() -> [String] {
        var used: Set<String> = []
        return allValues.enumerated().map { index, value in
            let base = value.name.isEmpty ? "v\(index)" : escaped(value.name)
            var name = base
            var number = 1
            while !used.insert(name).inserted {
                name = "\(base)·\(number)"
                number += 1
            }
            return name
        }
    }
}

/// An operator's attributes as text, those at their defaults left out where the operator can be made from nothing.
package func attributeText(of op: any Operator) -> String {
    guard case .record(let fields)? = try? AttributeEncoder.encode(op), !fields.isEmpty else { return "" }
    return "{" + fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}"
}
