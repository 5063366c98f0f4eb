import CKernels

/// The kernels of one instruction set, named for test output.
struct SimdKernels: CustomStringConvertible, Sendable {
    let name: String
    let table: dcn_simd_table
    var description: String { name }

    /// Every set this machine can run.
    static var available: [SimdKernels] {
        let sets = [
            ("baseline", DCN_ISA_BASELINE), ("avx2", DCN_ISA_AVX2), ("avx512", DCN_ISA_AVX512),
            ("amx", DCN_ISA_AMX),
            ("neon", DCN_ISA_NEON),
        ]
        return sets.compactMap { name, isa in
            dcn_simd_kernels(isa).map { SimdKernels(name: name, table: $0.pointee) }
        }
    }
}

/// A small generator of reproducible numbers.
struct Noise {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 29)) &* 0xbf58_476d_1ce4_e5b9 >> 3
    }

    mutating func index(_ bound: Int) -> Int { Int(next() >> 11) % bound }

    mutating func float(_ low: Float, _ high: Float) -> Float {
        low + (high - low) * Float(next() >> 20 & 0xff_ffff) / 16_777_216
    }

    mutating func floats(_ count: Int, _ low: Float = -1, _ high: Float = 1) -> [Float] {
        (0..<count).map { _ in float(low, high) }
    }
}

/// Whether two results agree: both NaN, the same infinity, or within `relative` of the expected value plus `absolute`.
func agrees(_ got: Float, _ expected: Double, relative: Double, absolute: Double = 0) -> Bool {
    if expected.isNaN { return got.isNaN }
    let rounded = Float(expected)
    if rounded.isInfinite || got.isInfinite {
        return got == rounded || abs(expected) > 3.4028e38 && abs(got) > 3.4028e38
    }
    return abs(Double(got) - expected) <= relative * abs(expected) + absolute + 1.5e-45
}

/// The first disagreement, described; nil when there is none.
func mismatch(
    _ got: [Float], _ expected: [Double], relative: Double = 0, absolute: Double = 0, _ what: String = ""
) -> String? {
    guard got.count == expected.count else { return "\(what): \(got.count) results for \(expected.count)" }
    for index in got.indices
    where !agrees(got[index], expected[index], relative: relative, absolute: absolute) {
        return "\(what)[\(index)]: got \(got[index]), expected \(expected[index])"
    }
    return nil
}

/// Rows that follow each other.
func rows(_ rows: Int, _ columns: Int, padding: Int = 0) -> dcn_rows {
    dcn_rows(
        rows: rows, columns: columns, x_row: columns + padding, y_row: columns + padding, padding: padding)
}
