import CKernels
import Testing

@Suite("Instruction sets")
struct InstructionSetTests {
    @Test("the baseline runs everywhere")
    func baseline() {
        #expect(dcn_isa_available(DCN_ISA_BASELINE) != 0)
    }
}
