internal import DCNGraph

extension Family {
    /// Products of matrices and what is made of them.
    static let products = Family(
        [MatMul.self, ActivatedProduct.self],
        [
            "": [
                "MatMul": { (_) throws(Misfit) in Meaning(MatMul()) },
                "Gemm": MatMul.gemm,
            ],
            "com.microsoft": [
                "FusedMatMul": MatMul.fused, "FusedGemm": MatMul.fusedGemm,
            ],
        ])
}
