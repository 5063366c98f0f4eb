package import DCNGraph

extension DeformConv {
    /// Spellings that leave unsaid how samples beyond the border are read, read as said here; to be put before others.
    ///
    /// MXNet's operator clamps unless it was built from the sources of its second version; OpenVINO clamps what
    /// networks were mostly trained to fade.
    package static func unsaidBorders(_ border: Border) -> Dialect {
        let spelling: Dialect.Spelling = { (node) throws(Misfit) in
            var meaning = try DeformSpellings.byShape(node)
            if var op = meaning.op as? DeformConv {
                op.border = border
                meaning.op = op
            }
            return meaning
        }
        let names = [
            "DeformableConv2D", "DeformableConvolution", "_contrib_DeformableConvolution",
            "_npx_deformable_convolution",
        ]
        return Dialect(domain: nil, Dictionary(uniqueKeysWithValues: names.map { ($0, spelling) }))
    }
}
