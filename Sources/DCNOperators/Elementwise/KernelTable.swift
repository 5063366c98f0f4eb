internal import CKernels
internal import DCNGraph

/// The kernels in C for one instruction set.
struct KernelTable: @unchecked Sendable {
    // Safe: tables are constants of the C library.
    let table: UnsafePointer<dcn_simd_table>

    /// The table of an instruction set; throws when this machine lacks it.
    init(_ instructionSet: InstructionSet) throws(Misfit) {
        guard let table = dcn_simd_kernels(instructionSet.code) else {
            throw .unsupported("this machine has no \(instructionSet.rawValue)")
        }
        self.table = table
    }
}

/// A table of kernels for an instruction set; throws when this machine lacks it.
func kernelTable(_ instructionSet: InstructionSet) throws(Misfit) -> dcn_simd_table {
    try KernelTable(instructionSet).table.pointee
}

/// A Swift type that the kernels in C combine and compare.
protocol PairElement: Sendable {
    /// y = op(a, b).
    static func combine(
        _ kernels: KernelTable, _ op: dcn_binary, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>)
    /// y = a op b.
    static func compare(
        _ kernels: KernelTable, _ op: dcn_compare, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<UInt8>)
}

extension Float: PairElement {
    static func combine(
        _ kernels: KernelTable, _ op: dcn_binary, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.binary_f32(op, $0, a, b, y) }
    }

    static func compare(
        _ kernels: KernelTable, _ op: dcn_compare, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<UInt8>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.compare_f32(op, $0, a, b, y) }
    }
}

extension Double: PairElement {
    static func combine(
        _ kernels: KernelTable, _ op: dcn_binary, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.binary_f64(op, $0, a, b, y) }
    }

    static func compare(
        _ kernels: KernelTable, _ op: dcn_compare, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<UInt8>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.compare_f64(op, $0, a, b, y) }
    }
}

extension Int32: PairElement {
    static func combine(
        _ kernels: KernelTable, _ op: dcn_binary, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.binary_i32(op, $0, a, b, y) }
    }

    static func compare(
        _ kernels: KernelTable, _ op: dcn_compare, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<UInt8>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.compare_i32(op, $0, a, b, y) }
    }
}

extension Int64: PairElement {
    static func combine(
        _ kernels: KernelTable, _ op: dcn_binary, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.binary_i64(op, $0, a, b, y) }
    }

    static func compare(
        _ kernels: KernelTable, _ op: dcn_compare, _ shape: dcn_broadcast, _ a: UnsafePointer<Self>,
        _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<UInt8>
    ) {
        withUnsafePointer(to: shape) { kernels.table.pointee.compare_i64(op, $0, a, b, y) }
    }
}
