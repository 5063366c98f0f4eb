@_exported public import DCNFormats
public import DCNGraph
internal import DCNOperators
@_exported public import DCNPasses
public import DCNRuntime

/// How a model file becomes a model.
///
/// `accuracy`, `shapes` and `fuse` say how sums are made, and so decide how answers are rounded.
public struct LoadOptions: Sendable {
    /// How much rounding the fast forms of convolutions may add. A compiled graph was made with one already.
    public var accuracy = Accuracy.default
    /// Inputs with initialisers that are to stay inputs. A compiled graph has its inputs already.
    public var keptInputs: Set<String> = []
    /// Extents to fix, by input name.
    public var shapes: [String: Shape] = [:]
    /// The values to give, intermediate ones too; none: those that the file gives. For ONNX files.
    public var outputs: [String] = []
    /// Which rewrites are wanted. For ONNX files.
    public var fuse = FuseChoice.all
    /// How the file's bytes are had.
    ///
    /// A mapped file costs no memory of ours, but a process that shortens it in place kills its readers (SIGBUS);
    /// `.copied` is immune to that.
    public var mapping = FileMapping.mapped
    /// How much the file may ask of us before its numbers are looked at.
    public var limits = ReadingLimits()
    /// Most bytes that loading may take, mapped files apart; nil leaves it to `limits`.
    public var memoryLimit: Int?

    /// The limits, those of memory no higher than `memoryLimit`.
    package var effectiveLimits: ReadingLimits { memoryLimit.map { limits.within($0) } ?? limits }

    /// The options that hold unless said otherwise.
    public init() {}
}

extension Model {
    /// Reads a model file, an ONNX file or a compiled graph, and makes it ready to run.
    ///
    /// Throws `.system` when the file can't be had, `.model` when it is invalid, `.unsupported` when it holds
    /// operators that nobody here knows: all of them.
    public convenience init(
        contentsOf path: String, dialects: [Dialect] = Dialect.standard, options: LoadOptions = LoadOptions()
    ) throws(DCNError) {
        let loaded = try LoadedModel(contentsOf: path, dialects: dialects, options: options)
        self.init(
            graph: loaded.compiled.graph, metadata: loaded.compiled.metadata,
            declaredInputs: loaded.declaredInputs)
    }
}

extension Dialect {
    /// All spellings that are known here. The commands also know `ImageDecoder`, which needs libraries for pictures:
    /// here a model that holds it is refused as unsupported, unless a dialect of the program's own spells it.
    public static var standard: [Dialect] { Catalogue.dialects }

    /// Spellings of deformable convolution that do not say how samples beyond the border are read: as clamped to the
    /// image, or as fading to zero over one pixel. To be put before `standard`.
    public static func unsaidBorders(clamping: Bool) -> Dialect {
        DeformConv.unsaidBorders(clamping ? .clamp : .zero)
    }
}
