internal import DCNGraph

extension Probe {
    /// What some spellings must be asked with, and what others must be asked with as well, since what they take depends
    /// on it: quantised operands, a picture of known size, something to scan, the attributes of anchors, levels and trees,
    /// types of results and of keys.
    static let examples: [String: [Offer]] = [
        "GridSample": [Offer(), Offer(attributes: ["mode": .string(ByteString("nearest"))])],
        "BitCast": [ElementType.uint8, .uint2, .uint4, .uint16, .uint32, .uint64, .complex128]
            .map { Offer(attributes: ["to": .int($0.rawValue)]) },
        "LabelEncoder": keys.map {
            Offer([TensorType($0.type.element, nil)], attributes: ["keys_tensor": .tensor($0)])
        },
        "Proposal": [Offer(attributes: ["ratio": .floats([1]), "scale": .floats([1])])],
        "QLinearConv": [Offer(quantised)], "QLinearMatMul": [Offer(quantised)],
        "RandomNormalLike": [Offer(attributes: ["dtype": .int(ElementType.float32.rawValue)])],
        "RandomUniformLike": [Offer(attributes: ["dtype": .int(ElementType.float32.rawValue)])],
        "ps_roi_pool": [
            Offer([TensorType(.float32, Shape([1, 1, 1, 1])), TensorType(.float32, Shape([1, 5]))])
        ],
        "Scan": [Offer([.init(.float32, nil)], attributes: ["num_scan_inputs": .int(1)])],
        "TfIdfVectorizer": [
            Offer(),
            Offer([TensorType(.string, nil)], attributes: ["pool_strings": .strings([ByteString("a")])]),
        ],
        "TreeEnsemble": [ElementType.float32, .float64, .float16].compactMap(tree),
        "Yolov3DetectionOutput": [
            Offer(attributes: [
                "biases": .floats([1, 1]), "mask": .floats([0]), "anchors_scale": .floats([1]),
            ])
        ],
        "FakeQuantize": [Offer(attributes: ["levels": .int(2)])],
    ]

    private static let quantised = [.uint8, .float32, .uint8, .uint8, .float32, .uint8, .float32, .uint8]
        .map { (element: ElementType) in TensorType(element, nil) }

    /// One key of each type.
    private static let keys =
        [ElementType.float32, .float64, .int64, .int32, .int16].compactMap {
            filledTensor([1], $0, extents: [1])
        }
        + [Tensor(extents: [1], strings: [ByteString("a")])].compactMap { $0 }

    /// A tree of one leaf whose numbers are of a type.
    private static func tree(of element: ElementType) -> Offer? {
        guard let number = filledTensor([1], element, extents: [1]) else { return nil }
        return Offer(
            [TensorType(element, nil)],
            attributes: [
                "nodes_modes": .tensor(Tensor(vector: [UInt8(0)])), "nodes_splits": .tensor(number),
                "leaf_weights": .tensor(number), "nodes_featureids": .ints([0]),
                "nodes_truenodeids": .ints([0]), "nodes_trueleafs": .ints([1]),
                "nodes_falsenodeids": .ints([0]),
                "nodes_falseleafs": .ints([1]), "leaf_targetids": .ints([0]), "tree_roots": .ints([0]),
            ])
    }
}
