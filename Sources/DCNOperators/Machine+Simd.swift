internal import CKernels
internal import DCNGraph

/// The kernels around the convolutions, for one instruction set.
struct Simd: @unchecked Sendable {
    // Safe: the table is constant and lives as long as the program.
    let table: UnsafePointer<dcn_simd_table>

    /// The table for an instruction set that this machine runs.
    init(_ set: InstructionSet) throws(Misfit) {
        guard let table = dcn_simd_kernels(set.code) else {
            throw .unsupported("\(set.rawValue) kernels on this machine")
        }
        self.table = table
    }
}
