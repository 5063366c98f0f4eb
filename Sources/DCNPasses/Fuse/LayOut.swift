package import DCNGraph

/// Packs weights, then decides layouts: packed operators give channels last, which their readers learn only then. Then
/// pooling may join the layer it follows.
package struct LayOut: Pass {
    package static let name = "lay-out"
    /// How much rounding fast forms may add.
    package let accuracy: Accuracy
    /// Bytes that packed weights may take together.
    package var byteLimit = Int.max

    /// A pass that allows forms up to an accuracy.
    package init(_ accuracy: Accuracy) { self.accuracy = accuracy }

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try PackWeights(accuracy, byteLimit: byteLimit).run(on: &graph, log: &log)
        try AssignLayouts().run(on: &graph, log: &log)
        try FusePool().run(on: &graph, log: &log)
    }
}
