internal import DCNGraph

extension Family {
    /// Mathematical functions and tests of a single operand.
    static let unary = Family(
        [
            Sqrt.self, Reciprocal.self, Exp.self, Log.self, Erf.self, Floor.self, Ceil.self, Round.self,
            Sin.self, Cos.self, Tan.self, Asin.self, Acos.self, Atan.self, Sinh.self, Cosh.self, Asinh.self,
            Acosh.self, Atanh.self, Abs.self, Neg.self, Sign.self, BitwiseNot.self, Not.self, IsNaN.self,
            IsInf.self,
        ],
        [
            "": [
                "Sqrt": { (_) throws(Misfit) in Meaning(Sqrt()) },
                "Reciprocal": { (_) throws(Misfit) in Meaning(Reciprocal()) },
                "Exp": { (_) throws(Misfit) in Meaning(Exp()) },
                "Log": { (_) throws(Misfit) in Meaning(Log()) },
                "Erf": { (_) throws(Misfit) in Meaning(Erf()) },
                "Floor": { (_) throws(Misfit) in Meaning(Floor()) },
                "Ceil": { (_) throws(Misfit) in Meaning(Ceil()) },
                "Round": { (_) throws(Misfit) in Meaning(Round()) },
                "Sin": { (_) throws(Misfit) in Meaning(Sin()) },
                "Cos": { (_) throws(Misfit) in Meaning(Cos()) },
                "Tan": { (_) throws(Misfit) in Meaning(Tan()) },
                "Asin": { (_) throws(Misfit) in Meaning(Asin()) },
                "Acos": { (_) throws(Misfit) in Meaning(Acos()) },
                "Atan": { (_) throws(Misfit) in Meaning(Atan()) },
                "Sinh": { (_) throws(Misfit) in Meaning(Sinh()) },
                "Cosh": { (_) throws(Misfit) in Meaning(Cosh()) },
                "Asinh": { (_) throws(Misfit) in Meaning(Asinh()) },
                "Acosh": { (_) throws(Misfit) in Meaning(Acosh()) },
                "Atanh": { (_) throws(Misfit) in Meaning(Atanh()) },
                "Abs": { (_) throws(Misfit) in Meaning(Abs()) },
                "Neg": { (_) throws(Misfit) in Meaning(Neg()) },
                "Sign": { (_) throws(Misfit) in Meaning(Sign()) },
                "BitwiseNot": { (_) throws(Misfit) in Meaning(BitwiseNot()) },
                "Not": { (_) throws(Misfit) in Meaning(Not()) },
                "IsNaN": { (_) throws(Misfit) in Meaning(IsNaN()) },
                "IsInf": { (node) throws(Misfit) in
                    Meaning(
                        IsInf(
                            detectsNegative: try node.bool("detect_negative", default: true),
                            detectsPositive: try node.bool("detect_positive", default: true)))
                },
            ]
        ])
}
