package import DCNGraph

/// Multi-scale deformable attention about points of reference (BEVFormer's TensorRT plugin).
///
///     location = reference[g] + offset / (Wₗ, Hₗ)          weight = softmax over levels and points
///
/// Inputs: value `[N, S, M, D]`, spatial shapes `[L, 2]` (h, w), references `[N, Q, 1, 2·G]` in 0 … 1, offsets
/// `[N, Q, M, 2·L·P]` in cells, weights before the softmax `[N, Q, M, L·P]`. Point p belongs to reference p mod G.
///
/// With locations in −1 … 1 in the place of references and offsets, and weights as they are, there are four inputs. Output `[N, Q, M, D]`.
/// Samples at places that are not finite are 0; weights beside NaN or +∞ are NaN.
package struct ReferencedAttention: Composite {
    package static let name = "ReferencedAttention"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let value = try inputs.required(0, "value", rank: 4)
        let shapes = try inputs.required(1, "value_spatial_shapes", rank: 2)
        try value.expect(ElementType.reals)
        try shapes.expect([.int32, .int64])
        try shapes.expect(2, along: 1, because: "height and width")
        let names = inputs.count > 4 ? ["reference_points", "sampling_offsets"] : ["sampling_locations"]
        for (index, name) in (names + ["attention_weights"]).enumerated() {
            let operand = try inputs.required(index + 2, name, rank: 4)
            try operand.expectSameElement(as: value)
            try operand.expect(value.dimension(0), along: 0, because: "as value")
            if name != "reference_points" {
                try operand.expect(value.dimension(2), along: 2, because: "as value has heads")
            }
        }
        let weights = try inputs.required(inputs.count > 4 ? 4 : 3, "attention_weights", rank: 4)
        let places = try inputs.required(inputs.count > 4 ? 3 : 2, names[names.count - 1], rank: 4)
        try places.expect(weights.dimension(1), along: 1, because: "as attention_weights")
        if let count = weights.dimension(3).fixed {
            try places.expect(2 * count, along: 3, because: "x and y of each point")
            if let levels = shapes.dimension(0).fixed, levels < 1 || count % levels != 0 {
                throw .extent(
                    of: "attention_weights", axis: 3, expected: "a multiple of \(levels)", got: "\(count)",
                    because: "levels")
            }
        }
        let extents = [value.dimension(0), weights.dimension(1), value.dimension(2), value.dimension(3)]
        return [.tensor(TensorType(value.element, Shape(extents)))]
    }
}
