/// Work of fixed shape on concrete types, cut into tiles that run in any order on any thread.
///
/// `run(tile:in:)` allocates nothing and throws nothing; what it writes must not depend on how many threads there are.
public protocol Kernel: Sendable {
    /// How many tiles there are; zero when there is nothing to do.
    var tileCount: Int { get }
    /// Bytes of scratch that each thread lends, aligned to a cache line.
    var scratchByteCount: Int { get }
    /// Pairs of output and input that may share their bytes: the output may overwrite the input as it goes.
    var inPlace: [InPlace] { get }
    /// Looks at values that must fit (indices), once, before the tiles.
    func check(_ frame: Frame) throws(Misfit)
    /// Computes one tile.
    func run(tile: Int, in frame: Frame)
}

extension Kernel {
    /// None.
    public var scratchByteCount: Int { 0 }
    /// None.
    public var inPlace: [InPlace] { [] }
    /// Nothing to look at.
    public func check(_ frame: Frame) throws(Misfit) {}
}

/// Output `output` may take the bytes of input `input`.
public struct InPlace: Sendable, Hashable {
    /// Index among the node's outputs.
    public var output: Int
    /// Index among the node's inputs.
    public var input: Int
    /// Whether the output's bytes are the input's, unchanged: sharing them costs nothing even if others read the input
    /// later. A kernel still copies when it is given separate bytes.
    public var isAlias: Bool
    /// A pair of indices.
    public init(output: Int, input: Int, isAlias: Bool = false) {
        self.output = output
        self.input = input
        self.isAlias = isAlias
    }
}

/// A kernel made of a closure.
package struct TileKernel: Kernel {
    package let tileCount: Int
    package let scratchByteCount: Int
    package let inPlace: [InPlace]
    private let body: @Sendable (Int, Frame) -> Void
    private let checking: @Sendable (Frame) -> Misfit?

    /// A kernel of `tiles` tiles; `check` may name a value that does not fit.
    package init(
        tiles: Int, scratch: Int = 0, inPlace: [InPlace] = [],
        check: @escaping @Sendable (Frame) -> Misfit? = { _ in nil },
        _ body: @escaping @Sendable (Int, Frame) -> Void
    ) {
        tileCount = tiles
        scratchByteCount = scratch
        self.inPlace = inPlace
        self.body = body
        checking = check
    }

    package func check(_ frame: Frame) throws(Misfit) {
        if let misfit = checking(frame) { throw misfit }
    }

    package func run(tile: Int, in frame: Frame) { body(tile, frame) }
}

/// Where the operands of one kernel lie, valid until the step ends. Each thread has its own scratch.
public struct Frame {
    let inputs: UnsafeBufferPointer<UnsafeRawPointer?>
    let outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>
    /// The thread's own scratch.
    package let scratch: UnsafeMutableRawPointer

    /// A frame over tables of addresses that outlive it.
    package init(
        inputs: UnsafeBufferPointer<UnsafeRawPointer?>,
        outputs: UnsafeBufferPointer<UnsafeMutableRawPointer?>,
        scratch: UnsafeMutableRawPointer
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.scratch = scratch
    }

    /// The elements of input `index`; a valid address without elements when the input is left out.
    package func input<T>(_ index: Int, as type: T.Type) -> UnsafePointer<T> {
        optionalInput(index, as: type) ?? Storage.nowhere.assumingMemoryBound(to: type)
    }

    /// The elements of input `index`, nil when it is left out.
    package func optionalInput<T>(_ index: Int, as type: T.Type) -> UnsafePointer<T>? {
        index < inputs.count ? inputs[index]?.assumingMemoryBound(to: type) : nil
    }

    /// The elements of output `index`; a valid address without elements when nobody wants the output.
    package func output<T>(_ index: Int, as type: T.Type) -> UnsafeMutablePointer<T> {
        optionalOutput(index, as: type)
            ?? UnsafeMutableRawPointer(mutating: Storage.nowhere).assumingMemoryBound(to: type)
    }

    /// The elements of output `index`, nil when nobody wants it.
    package func optionalOutput<T>(_ index: Int, as type: T.Type) -> UnsafeMutablePointer<T>? {
        index < outputs.count ? outputs[index]?.assumingMemoryBound(to: type) : nil
    }

    /// Scratch as elements of a type.
    package func scratch<T>(as type: T.Type) -> UnsafeMutablePointer<T> {
        scratch.assumingMemoryBound(to: type)
    }
}
