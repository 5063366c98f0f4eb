package import DCNGraph

/// Point-wise spatial attention masks laid over the image: [N, hm wm, H, W] to [N, H W, H, W], zeros where the
/// mask does not reach. For mask cell (i, j) at (h, w) the target is (h + i - (hm - 1) / 2, w + j - (wm - 1) / 2).
package struct PSAMask: Operator {
    package static let name = "PSAMask"
    /// out[position of (h, w), target] = in; else out[target, position of (h, w)] = in.
    package var distributes: Bool
    /// hm.
    package var maskHeight: Int
    /// wm.
    package var maskWidth: Int

    package init(distributes: Bool, maskHeight: Int, maskWidth: Int) {
        self.distributes = distributes
        self.maskHeight = maskHeight
        self.maskWidth = maskWidth
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 4)
        guard maskHeight > 0, maskWidth > 0, maskHeight < 1 << 16, maskWidth < 1 << 16 else {
            throw .attribute(
                "mask_size", because: "is \(maskHeight) × \(maskWidth), expected positive extents")
        }
        try data.expect(maskHeight * maskWidth, along: 1, because: "mask_size")
        let plane = Dimension.product([data.dimension(2), data.dimension(3)])
        let shape = Shape([data.dimension(0), plane, data.dimension(2), data.dimension(3)])
        return [.tensor(TensorType(data.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard try call.input(0).element == .float32 else {
            throw .unsupported("MMCVPSAMask on \(try call.input(0).element)")
        }
        let extents = try call.extents(0)
        let tiles = extents[2] * extents[3] == 0 ? 0 : extents[0]
        return .kernel(
            TileKernel(tiles: tiles) { image, frame in
                let plane = extents[2] * extents[3]
                let input = frame.input(0, as: Float.self) + image * extents[1] * plane
                let output = frame.output(0, as: Float.self) + image * plane * plane
                output.update(repeating: 0, count: plane * plane)
                for channel in 0..<extents[1] {
                    let down = channel / maskWidth - (maskHeight - 1) / 2
                    let across = channel % maskWidth - (maskWidth - 1) / 2
                    for place in 0..<plane {
                        let (row, column) = (place / extents[3] + down, place % extents[3] + across)
                        guard row >= 0, row < extents[2], column >= 0, column < extents[3] else { continue }
                        let target = row * extents[3] + column
                        let cell = distributes ? place * plane + target : target * plane + place
                        output[cell] = input[channel * plane + place]
                    }
                }
            })
    }
}
