/// A family of vector instructions that kernels are written for.
public enum InstructionSet: String, Sendable, Hashable, Codable, CaseIterable {
    case baseline, avx2, avx512, amx, neon
}
