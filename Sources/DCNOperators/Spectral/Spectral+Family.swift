internal import DCNGraph

extension Family {
    /// Spectra and windows of signals.
    static let spectra = Family(
        [WindowFunction.self, MelWeightMatrix.self, DFT.self, STFT.self],
        [
            "": [
                "HannWindow": { (node) throws(Misfit) in try window(node, .hann) },
                "HammingWindow": { (node) throws(Misfit) in try window(node, .hamming) },
                "BlackmanWindow": { (node) throws(Misfit) in try window(node, .blackman) },
                "MelWeightMatrix": { (node) throws(Misfit) in
                    Meaning(MelWeightMatrix(element: try node.optionalElement("output_datatype") ?? .float32))
                },
                "DFT": transform,
                "STFT": { (node) throws(Misfit) in
                    Meaning(STFT(isOneSided: try node.bool("onesided", default: true)))
                },
            ]
        ])

    private static func window(_ node: SourceNode, _ kind: WindowFunction.Kind) throws(Misfit) -> Meaning {
        let element = try node.optionalElement("output_datatype") ?? .float32
        return Meaning(
            WindowFunction(kind, isPeriodic: try node.bool("periodic", default: true), element: element))
    }

    private static func transform(_ node: SourceNode) throws(Misfit) -> Meaning {
        let op = DFT(
            isInverse: try node.bool("inverse", default: false),
            isOneSided: try node.bool("onesided", default: false))
        guard node.version < 20 else { return Meaning(op) }
        let axis = Tensor(scalar: Int64(try node.int("axis", default: 1)))
        return Meaning(op, order: [0, node.inputs.count > 1 ? 1 : nil], extra: [axis])
    }
}
