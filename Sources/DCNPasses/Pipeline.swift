package import DCNGraph

/// The order in which passes run.
package struct Pipeline: Sendable {
    /// The passes, in order.
    package var passes: [any Pass]

    /// A pipeline of passes.
    package init(_ passes: [any Pass]) { self.passes = passes }

    /// The same passes, folding constants up to so many bytes in all and packing weights up to so many.
    package func limited(foldedByteCount: Int, packedByteCount: Int) -> Pipeline {
        Pipeline(
            passes.map { pass in
                if var fold = pass as? FoldConstants {
                    fold.totalByteLimit = foldedByteCount
                    return fold
                }
                if var lay = pass as? LayOut {
                    lay.byteLimit = packedByteCount
                    return lay
                }
                return pass
            })
    }

    /// Runs all passes; in debug builds every law of the graph is checked after each.
    package func run(on graph: inout Graph) throws(DCNError) -> [Rewriting] {
        var log: [Rewriting] = []
        for pass in passes {
            try pass.run(on: &graph, log: &log)
            #if DEBUG
                try graph.check()
            #endif
        }
        return log
    }
}

extension Pipeline {
    /// What always runs: afterwards the graph holds canonical operators only, and nothing that is known already.
    package static let canonical = Pipeline([
        Compose(), Rewrite(ExpandJointFields()), DropIdentity(), FoldConstants(), RaiseDeformConv(),
        RaiseAggregate(), RaiseAttention(), RaiseMultiLevel(), FoldChannelOrder(), DropDead(),
    ])

    /// What follows rewrites that leave constant arithmetic behind.
    package static let tidying = Pipeline([FoldConstants(), DropDead()])

    /// What makes a canonical graph fast: few nodes, packed weights, layouts that kernels like.
    package static func fusing(_ accuracy: Accuracy) -> Pipeline {
        Pipeline([
            WidenHalf(),
            Rewrite(
                FoldBatchNorm(), FoldBatchNormDeform(), FuseSilu(), FuseGelu(), FuseTransposes(), FuseAddend()
            ),
            FoldPad(), FuseOffsets(), FuseActivation(), FuseResidual(), FuseActivation(),
            Rewrite(RecogniseLayouts()), DropDead(), LayOut(accuracy), DropDead(),
        ])
    }
}
