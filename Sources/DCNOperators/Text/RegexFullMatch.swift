package import DCNGraph

/// Whether each whole string matches a regular expression of RE2's syntax, in time linear in the string.
package struct RegexFullMatch: Operator {
    package static let name = "RegexFullMatch"
    /// The regular expression.
    package var pattern: String
    package init(pattern: String) { self.pattern = pattern }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.string])
        _ = try LinearRegex(pattern)
        return [.tensor(TensorType(.bool, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let regex = try LinearRegex(pattern)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                guard let x = values.first??.tensor else { throw .missing("X") }
                var flags: [Bool] = []
                for string in x.strings {
                    try scope.checkpoint()
                    flags.append(regex.matches(string.text))
                }
                return [Tensor(extents: x.extents, flags).map(Datum.tensor)]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, [("pattern", .string(ByteString(pattern)))], since: 20)
    }
}
