internal import CKernels
package import DCNGraph

extension InstructionSet {
    var code: dcn_isa {
        switch self {
        case .baseline: DCN_ISA_BASELINE
        case .avx2: DCN_ISA_AVX2
        case .avx512: DCN_ISA_AVX512
        case .amx: DCN_ISA_AMX
        case .neon: DCN_ISA_NEON
        }
    }

    /// The instruction sets that this machine runs, weakest first.
    package static let available: [InstructionSet] = allCases.filter { dcn_isa_available($0.code) != 0 }

    /// The one that is taken unless somebody says otherwise: the strongest, but for `amx`. Tiles are a quarter faster on
    /// wide layers while they have their core for themselves, and up to four times slower while another thread of it,
    /// of whatever program, uses them too; vectors lose little then.
    package static let best: InstructionSet = available.last { $0 != .amx } ?? .baseline
}

extension InstructionSet {
    /// Runs independent multiply-adds in registers and gives the floating-point operations done.
    package static func multiplyAddOperations(_ instructionSet: InstructionSet, rounds: Int) -> Double {
        dcn_conv_kernels(instructionSet.code)?.pointee.peak(rounds) ?? 0
    }
}
