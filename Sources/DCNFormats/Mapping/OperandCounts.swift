/// How many operands standard operators take at most, in any version: what stands behind them has no meaning.
enum OperandCounts {
    /// The most operands of an operator of the default domain; nil where there is no limit, or no such operator.
    static func most(of name: String) -> Int? { limits[name] }

    private static let limits: [String: Int] = {
        var limits: [String: Int] = [:]
        for (count, names) in names {
            for name in names.split(whereSeparator: \.isWhitespace) { limits[String(name)] = count }
        }
        return limits
    }()

    private static let names: [(count: Int, names: String)] = [
        (
            0,
            """
            Constant RandomNormal RandomUniform SequenceEmpty
            """
        ),
        (
            1,
            """
            Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitCast
            BitwiseNot BlackmanWindow Cast Ceil Celu ConcatFromSequence ConstantOfShape Cos Cosh
            DepthToSpace Det DynamicQuantizeLinear Elu Erf Exp EyeLike Flatten Floor Gelu
            GlobalAveragePool GlobalLpPool GlobalMaxPool HammingWindow HannWindow HardSigmoid
            HardSwish Hardmax Identity If ImageDecoder IsInf IsNaN LRN LeakyRelu Log LogSoftmax
            LpNormalization LpPool MaxPool MeanVarianceNormalization Mish Multinomial Neg NonZero Not
            Optional OptionalGetElement OptionalHasElement RandomNormalLike RandomUniformLike
            Reciprocal RegexFullMatch Relu Round Selu SequenceLength Shape Shrink Sigmoid Sign Sin
            Sinh Size Softmax Softplus Softsign SpaceToDepth Sqrt StringNormalizer StringSplit Swish
            Tan Tanh TfIdfVectorizer ThresholdedRelu Transpose Unique
            """
        ),
        (
            2,
            """
            Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CenterCropPad
            Compress CumProd CumSum Div Equal Expand Gather GatherElements GatherND Greater
            GreaterOrEqual GridSample Less LessOrEqual MatMul MaxRoiPool Mod Mul Or PRelu Pow
            RMSNormalization ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
            ReduceMin ReduceProd ReduceSum ReduceSumSquare Reshape ReverseSequence SequenceAt
            SequenceErase Split SplitToSequence Squeeze StringConcat Sub SwiGLU TopK Trilu Unsqueeze
            Upsample Xor
            """
        ),
        (
            3,
            """
            Clip Col2Im Conv ConvTranspose DFT DequantizeLinear Dropout Gemm GroupNormalization
            InstanceNormalization LayerNormalization MaxUnpool NegativeLogLikelihoodLoss OneHot
            QuantizeLinear Range RoiAlign Scatter ScatterElements ScatterND SequenceInsert
            SoftmaxCrossEntropyLoss TensorScatter Tile Where
            """
        ),
        (
            4,
            """
            CausalConvWithState ConvInteger MatMulInteger Pad Resize RotaryEmbedding STFT
            """
        ),
        (
            5,
            """
            BatchNormalization DeformConv MelWeightMatrix NonMaxSuppression Slice
            """
        ),
        (
            6,
            """
            GRU LinearAttention RNN
            """
        ),
        (
            7,
            """
            Attention
            """
        ),
        (
            8,
            """
            LSTM QLinearMatMul
            """
        ),
        (
            9,
            """
            QLinearConv
            """
        ),
    ]
}
