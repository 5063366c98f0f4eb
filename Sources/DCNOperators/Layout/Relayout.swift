internal import CKernels
package import DCNGraph

/// The same tensor laid out otherwise: between row-major and channels last.
package struct Relayout: Operator {
    package static let name = "Relayout"
    /// How the result lies.
    package var layout: Layout

    /// A change to a layout.
    package init(to layout: Layout) { self.layout = layout }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        guard x.element != .string, !x.element.isPacked else {
            throw .element(of: "x", expected: "elements of whole bytes", got: x.element)
        }
        if let rank = x.rank, !(2...5).contains(rank) { throw .rank(of: "x", expected: "2 to 5", got: rank) }
        return [.tensor(x.type.with(layout: layout))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        guard let extents = type.extents, type.layout != layout else {
            throw .unsupported("Relayout to the same layout")
        }
        guard (2...5).contains(extents.count) else {
            throw .rank(of: "x", expected: "2 to 5", got: extents.count)
        }
        guard type.element == .float32 else {
            return .kernel(bytewise(extents, width: type.element.byteWidth))
        }
        let table = try ConvTable(call.instructionSet)
        let toChannelsLast = layout == .channelsLast
        let stride = paddedChannels(extents[1])
        let pixels = extents[2...].reduce(1, *)
        let streams = isStreamed(byteCount: try call.output(0).byteCount ?? 0)
        @Sendable func job(_ frame: Frame) -> dcn_relayout {
            dcn_relayout(
                x: frame.input(0, as: Float.self), y: frame.output(0, as: Float.self), batch: extents[0],
                channels: extents[1], pixels: pixels, stride: stride, clear: toChannelsLast ? stride : 0,
                row_major_stride: extents[1] * pixels, streaming: streams ? 1 : 0)
        }
        var counted = dcn_relayout()
        counted.batch = extents[0]
        counted.channels = extents[1]
        counted.pixels = pixels
        counted.stride = stride
        let tiles = type.elementCount == 0 ? 0 : dcn_relayout_tiles(&counted)
        return .kernel(
            TileKernel(tiles: tiles) { tile, frame in
                var job = job(frame)
                if toChannelsLast {
                    table.pointer.pointee.to_channels_last(&job, tile)
                } else {
                    table.pointer.pointee.to_row_major(&job, tile)
                }
            })
    }
}

extension Relayout {
    /// Elements of any width, one by one: what follows a convolution in another type than its own.
    private func bytewise(_ extents: [Int], width: Int) -> TileKernel {
        let (channels, pixels) = (extents[1], extents[2...].reduce(1, *))
        let stride = paddedChannels(channels)
        let toChannelsLast = layout == .channelsLast
        let tiling = Tiling(extents.contains(0) ? 0 : extents[0] * pixels, cost: 2 * stride)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let x = UnsafeRawPointer(frame.input(0, as: UInt8.self))
            let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
            for place in tiling[tile] {
                let plane = place / pixels * channels * pixels + place % pixels
                for channel in 0..<channels {
                    let (rowMajor, last) = (plane + channel * pixels, place * stride + channel)
                    let (from, to) = toChannelsLast ? (rowMajor, last) : (last, rowMajor)
                    (y + to * width).copyMemory(from: x + from * width, byteCount: width)
                }
                guard toChannelsLast else { continue }
                (y + (place * stride + channels) * width)
                    .initializeMemory(as: UInt8.self, repeating: 0, count: (stride - channels) * width)
            }
        }
    }
}
