package import DCNGraph

/// Operators that belong together: what they are, and how files spell them.
package struct Family: Sendable {
    /// The operators, by type.
    package let operators: [any Operator.Type]
    /// Spellings by domain (`""` is ONNX's own), then by name.
    package let spellings: [String: [String: Dialect.Spelling]]

    /// A family from its members.
    package init(_ operators: [any Operator.Type], _ spellings: [String: [String: Dialect.Spelling]]) {
        self.operators = operators
        self.spellings = spellings
    }
}
