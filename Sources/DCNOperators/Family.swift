package import DCNGraph

/// Operators that belong together: what they are, and how files spell them.
///
/// What holds for all operators whose documentation says nothing else: floats follow IEEE 754 and C's `<math.h>`, so NaN
/// and infinities come out of sums and products as they must, and denormals are kept; integers wrap; a
/// sum over nothing is 0. A square or a partial sum beyond the greatest number is infinite, even where the exact result is
/// not; whether one is met depends on the order of additions, and with it on the instruction set. Elements that are only
/// moved keep their bits, NaN too. What has no elements, be it a batch, a list or a plane, gives as many results as its
/// extents say. Indices that do not exist are errors of the run.
package struct Family: Sendable {
    /// The operators, by type.
    package let operators: [any Operator.Type]
    /// Spellings by domain (`""` is ONNX's own), then by name.
    package let spellings: [String: [String: Dialect.Spelling]]
    /// Spellings by name that hold in every domain which has none of its own of that name.
    package let anywhere: [String: Dialect.Spelling]
    /// What exporters wrote under the standard's names in versions of its operator set that did not have them yet.
    package let early: [String: Dialect.Spelling]

    /// A family from its members.
    package init(
        _ operators: [any Operator.Type], _ spellings: [String: [String: Dialect.Spelling]],
        anywhere: [String: Dialect.Spelling] = [:], early: [String: Dialect.Spelling] = [:]
    ) {
        self.operators = operators
        self.spellings = spellings
        self.anywhere = anywhere
        self.early = early
    }
}
