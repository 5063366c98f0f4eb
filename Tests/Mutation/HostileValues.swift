package import DCNGraph

/// Numbers that break what nobody checked, among ordinary ones.
package enum HostileValues {
    static let ints = [
        0, 1, -1, 2, 3, -2, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, -128, 255, 256, 1000,
        65_536,
        1 << 20, 1 << 31, -(1 << 31), (1 << 31) - 1, 1 << 32, 1 << 40, (1 << 40) + 1, 1 << 53, 1 << 62,
        Int.max, Int.min,
        Int.max - 1, Int.min + 1,
    ]
    /// What operators and their spellings name, and what nobody names.
    static let words: [String] =
        """
        grouped ranked listed counted padded corner centre size turned spread spreadHeight given share
        accept add affine alignCorners asymmetric atBoundary atEnd atStart average bottom boundary ceiling character
        choice clamp clip columnFirst constant count cropAndResize deform delta depthFirst deviation direct down edge
        ellipsis elu empty end explicit floor fork gated gatedDelta gelu geluTanh halfPixel halfPixelSymmetric
        hardSigmoid hardSwish high integers isSingle jump leakyRelu least left linear logSum logSumExp lower max
        maximum maximumCorner mean min minimum mish most mul narrow nearest nil none norm normal notLarger notSmaller
        numbers panels planes preferCeiling preferFloor presence product pytorchHalfPixel reflect relu repetition
        right rows sameLower sameUpper scaledTanh sequence sigmoid silu simple softsign start stretch sum sumSquare
        tanh tensorflowHalfPixel thresholdedRelu top uniform up upper valid weighted wrap zero forward reverse
        bidirectional hann hamming blackman naive gaussian softmax logSoftmax hardmax softmaxZero logistic greatest
        zeros border reflection cubic products capped biased weights fixed symbol unknown tensor optional greedy
        CRD DCR D IDF LEFT RIGHT LOWER UPPER NCHW NHWC NONE NOTSET SAME_LOWER SAME_UPPER VALID TF TFIDF Relu Sigmoid
        Tanh Affine Elu HardSigmoid LeakyRelu ScaledTanh Softplus Softsign ThresholdedRelu align_corners avg
        bilinear bilinear_deformable circular deform-1 direct-1 gated_delta gemm-1 half_pixel half_pixel_symmetric
        narrow-1 nesterov standard not_larger not_smaller output_half_pixel planes-1 planes-winograd-1 pytorch_half_pixel
        round_prefer_ceil round_prefer_floor rows-1 tf_crop_and_resize tf_half_pixel_for_nn winograd-pairs-1 winograd2-1
        winograd3-1 winograd4-1 winograd4-strided-1 winograd6-1 ij,jk->ik ...ii->i -> ii->i ij->ji bij,bjk->bik
        """.split(whereSeparator: \.isWhitespace).map(String.init) + ["", "\u{0}", "nobody's word"]
    static let floats: [Double] = [
        0, -0.0, 1, -1, 0.5, 2, 1e-30, 1e-40, 1e30, -1e30, 3e38, .infinity, -.infinity, .nan, 2_147_483_648,
        9.3e18, -9.3e18, 1.9e19, 1e300, 255.5, -128.5,
    ]

    /// An integer: mostly small, at times enormous.
    package static func int(_ random: inout SeededRandom) -> Int {
        random.once(in: 2) ? Int.random(in: -1...6, using: &random) : random.one(of: ints)
    }

    /// An extent: small, zero, at times enormous or negative.
    package static func extent(_ random: inout SeededRandom) -> Int {
        random.once(in: 8) ? int(&random) : random.one(of: [0, 1, 1, 2, 2, 3, 4, 5, 8, 16, 17])
    }

    /// A number: mostly near zero, at times not finite or enormous.
    package static func float(_ random: inout SeededRandom) -> Double {
        random.once(in: 2) ? Double.random(in: -2...2, using: &random) : random.one(of: floats)
    }

    /// Values of a type whose extents are known, at most `byteLimit` bytes of them; nil when that is not enough. Large
    /// ones repeat: to make each number anew would take longer than to run on them.
    package static func tensor(
        _ type: TensorType, byteLimit: Int = 1 << 20, _ random: inout SeededRandom
    ) -> Tensor? {
        guard let extents = type.extents, let count = type.elementCount, count <= byteLimit else {
            return nil
        }
        if type.element == .string {
            let strings = (0..<count).map { _ in
                ByteString(
                    random.one(of: [[], [0x61], [0xFF, 0xFE], [0x31, 0x65, 0x39], Array("inf".utf8)]))
            }
            return Tensor(extents: extents, strings: strings)
        }
        guard let bytes = type.byteCount, bytes <= byteLimit else { return nil }
        let isOrdinary = !random.once(in: 3)
        let plain = TensorType(type.element, extents: extents)
        switch type.element {
        case .float32, .complex64:
            return Tensor(plain, bytesOf: repeated(bytes / 4) { Float(number(isOrdinary, &random)) })
        case .float64, .complex128:
            return Tensor(plain, bytesOf: repeated(bytes / 8) { number(isOrdinary, &random) })
        case .int64, .uint64:
            return Tensor(plain, bytesOf: repeated(count) { integer(isOrdinary, &random) })
        case .int32, .uint32:
            return Tensor(
                plain, bytesOf: repeated(count) { Int32(truncatingIfNeeded: integer(isOrdinary, &random)) })
        case .bool:
            return Tensor(plain, bytesOf: repeated(count) { UInt8.random(in: 0...1, using: &random) })
        default:
            return Tensor(plain, bytesOf: repeated(bytes) { UInt8.random(in: 0...255, using: &random) })
        }
    }

    /// As many as wanted, the first 509 made, which is prime: no extent that anybody likes divides it.
    private static func repeated<T>(_ count: Int, _ make: () -> T) -> [T] {
        var all = (0..<min(count, 509)).map { _ in make() }
        all.reserveCapacity(count)
        while all.count < count { all += all.prefix(count - all.count) }
        return all
    }

    private static func number(_ isOrdinary: Bool, _ random: inout SeededRandom) -> Double {
        isOrdinary ? Double.random(in: -3...3, using: &random) : float(&random)
    }

    private static func integer(_ isOrdinary: Bool, _ random: inout SeededRandom) -> Int {
        isOrdinary ? Int.random(in: 0...3, using: &random) : int(&random)
    }
}
