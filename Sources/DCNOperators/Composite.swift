package import DCNGraph

/// An operator that runs as the operators it is made of.
///
/// They take its place before anything else happens to a graph: `DCNPasses/Compose/` says by arithmetic on terms which they are. What they compute is
/// what runs, what is fused, and what is written to standard files.
package protocol Composite: Operator {}

extension Composite {
    /// Only what the operator is made of runs.
    package func execution(for call: Call) throws(Misfit) -> Execution {
        throw .unsupported(
            "\(name) runs as the operators it is made of, which take its place in a canonical graph")
    }
}
