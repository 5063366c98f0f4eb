package import DCNGraph

extension Family {
    /// Spellings of mmcv and mmdeploy.
    static let openMMLab: [String: Dialect.Spelling] = [
        "cummax": { (node) throws(Misfit) in
            Meaning(CumulativeExtreme(axis: try node.int("dim", default: 0), isMinimum: false))
        },
        "cummin": { (node) throws(Misfit) in
            Meaning(CumulativeExtreme(axis: try node.int("dim", default: 0), isMinimum: true))
        },
        "MMCVCornerPool": { (node) throws(Misfit) in
            let mode = try node.int("mode")
            guard let direction = CornerPool.Direction(rawValue: mode) else {
                throw .attribute("mode", because: "is \(mode), expected 0 … 3")
            }
            return Meaning(CornerPool(direction: direction))
        },
        "GatherTopk": { (node) throws(Misfit) in
            guard let rank = try node.operands?.required(1, "inds").rank, rank > 0 else {
                throw .missing("the rank of inds")
            }
            return Meaning(Gather(axis: rank - 1, batchAxes: rank - 1))
        },
        "GridPriorsTRT": { (node) throws(Misfit) in
            Meaning(
                GridPriors(
                    strideHeight: Double(try node.float("stride_h", default: 1)),
                    strideWidth: Double(try node.float("stride_w", default: 1))))
        },
        "MMCVPSAMask": { (node) throws(Misfit) in
            let size = try node.ints("mask_size", default: [])
            guard size.count == 2 else {
                throw .attribute("mask_size", because: "has \(size.count) numbers, expected 2")
            }
            let kind = try node.int("psa_type", default: 0)
            guard kind == 0 || kind == 1 else {
                throw .attribute("psa_type", because: "is \(kind), expected 0 or 1")
            }
            return Meaning(PSAMask(distributes: kind == 1, maskHeight: size[0], maskWidth: size[1]))
        },
        "Mark": { (node) throws(Misfit) in
            node.ignore("dtype", "shape", "func", "func_id", "type", "name", "id")
            return Meaning(Identity())
        },
        "ScatterND": { (_) throws(Misfit) in Meaning(ScatterND()) },
    ]
}
