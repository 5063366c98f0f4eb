internal import DCNGraph

extension Family {
    /// Convolutions and what belongs to them.
    static let convolutions = Family(
        [Conv.self, DeformConv.self],
        [
            "": [
                "Conv": { (node) throws(Misfit) in Meaning(try Conv(onnx: node)) },
                "DeformConv": { (node) throws(Misfit) in Meaning(try DeformConv(onnx: node)) },
            ]
        ])
}
