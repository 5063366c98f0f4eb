internal import CKernels
internal import DCNGraph

extension ResizePlan {
    /// float32 over the last two axes; nil where other axes move too.
    func vectorKernel(_ call: Call) throws(Misfit) -> TileKernel? {
        let simd = try Simd(call.instructionSet)
        let rank = extents.count
        guard rank >= 2, !isActive.dropLast(2).contains(true), extents.reduce(1, &*) > 0,
            simd.table.pointee.resize_rows_f32 != nil
        else { return nil }
        return try call.input(0).layout == .channelsLast ? last(simd) : rows(simd)
    }

    private func withShape<R>(_ body: (inout dcn_resize) -> R) -> R {
        tables[tables.count - 2].withAxis { height in
            tables[tables.count - 1].withAxis { width in
                var shape = dcn_resize()
                (shape.height, shape.width, shape.fill) = (height, width, fill)
                return body(&shape)
            }
        }
    }

    private var cost: Int {
        let (height, width) = (tables[tables.count - 2], tables[tables.count - 1])
        return width.output &* (width.taps + height.taps)
    }

    private func rows(_ simd: Simd) -> TileKernel {
        let planes = extents.dropLast(2).reduce(1, *)
        let (height, width) = (tables[tables.count - 2], tables[tables.count - 1])
        let tiling = Tiling(planes * height.output, cost: cost)
        let scratch = withShape { shape in
            shape.channels = planes
            return dcn_resize_scratch(&shape)
        }
        let plan = self
        _ = width
        return TileKernel(tiles: tiling.tiles, scratch: scratch) { (tile, frame) in
            let range = tiling[tile]
            plan.withShape { shape in
                shape.channels = planes
                simd.table.pointee.resize_rows_f32(
                    &shape, frame.input(0, as: Float.self), frame.output(0, as: Float.self), frame.scratch,
                    range.lowerBound, range.upperBound)
            }
        }
    }

    private func last(_ simd: Simd) -> TileKernel {
        let (items, channels) = (extents[0], extents[1])
        let pixel = paddedChannels(channels)
        let (height, width) = (tables[2], tables[3])
        let tiling = Tiling(height.output, cost: cost &* pixel / 4)
        let scratch = withShape { shape in
            (shape.channels, shape.x_stride, shape.y_stride) = (channels, pixel, pixel)
            return dcn_resize_scratch(&shape)
        }
        let plan = self
        return TileKernel(tiles: tiling.tiles * items, scratch: scratch) { (tile, frame) in
            let (item, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            plan.withShape { shape in
                (shape.channels, shape.x_stride, shape.y_stride) = (channels, pixel, pixel)
                simd.table.pointee.resize_last_f32(
                    &shape, frame.input(0, as: Float.self) + item * height.source * width.source * pixel,
                    frame.output(0, as: Float.self) + item * height.output * width.output * pixel,
                    frame.scratch,
                    range.lowerBound, range.upperBound)
            }
        }
    }

    /// Any type over any axes.
    func execution(of element: ElementType, _ interpolation: Resize.Interpolation) throws(Misfit) -> Execution
    {
        if interpolation == .nearest, fill == 0 || !tables.contains(where: { $0.cells.contains(-1) }) {
            switch element.byteWidth {
            case 1: return .kernel(nearest(UInt8.self))
            case 2: return .kernel(nearest(UInt16.self))
            case 4: return .kernel(nearest(UInt32.self))
            default: return .kernel(nearest(UInt64.self))
            }
        }
        switch element {
        case .float32: return .kernel(weighted(Float.self) { Float($0) })
        case .float64: return .kernel(weighted(Double.self) { $0 })
        case .int8: return .kernel(weighted(Int8.self) { Int8(saturating: $0) })
        case .uint8: return .kernel(weighted(UInt8.self) { UInt8(saturating: $0) })
        case .int16: return .kernel(weighted(Int16.self) { Int16(saturating: $0) })
        case .uint16: return .kernel(weighted(UInt16.self) { UInt16(saturating: $0) })
        case .int32: return .kernel(weighted(Int32.self) { Int32(saturating: $0) })
        case .uint32: return .kernel(weighted(UInt32.self) { UInt32(saturating: $0) })
        case .int64: return .kernel(weighted(Int64.self) { Int64(saturating: $0) })
        case .uint64: return .kernel(weighted(UInt64.self) { UInt64(saturating: $0) })
        case .bool: return .kernel(weighted(UInt8.self) { $0 == 0 ? 0 : 1 })
        default: throw .unsupported("Resize of \(element)")
        }
    }

    /// Where the nearest cell of an output element lies; −1 outside of the crop.
    private func place(_ index: Int) -> Int {
        var rest = index
        var (place, stride) = (0, 1)
        for axis in output.indices.reversed() {
            let cell = Int(tables[axis].cells[rest % output[axis]])
            guard cell >= 0 else { return -1 }
            rest /= output[axis]
            place += cell * stride
            stride *= extents[axis]
        }
        return place
    }

    private func nearest<T: BitwiseCopyable & SendableMetatype>(_ type: T.Type) -> TileKernel {
        let tiling = Tiling(count, cost: 4 * max(1, output.count))
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let x = UnsafeRawPointer(frame.input(0, as: UInt8.self))
            let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
            let width = MemoryLayout<T>.size
            for index in tiling[tile] {
                let place = plan.place(index)
                if place < 0 {
                    memoryZero(y + index * width, width)
                } else {
                    (y + index * width).copyMemory(from: x + place * width, byteCount: width)
                }
            }
        }
    }

    private func weighted<T: Numeric & BitwiseCopyable>(
        _ type: T.Type, _ rounded: @escaping @Sendable (Double) -> T
    ) -> TileKernel where T: ResizableNumber & SendableMetatype {
        let taps = tables.reduce(1) { $0 &* $1.taps }
        let tiling = Tiling(count, cost: 4 &* taps &* max(1, output.count))
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let x = frame.input(0, as: T.self)
            for index in tiling[tile] {
                let value = plan.sum(x, index, axis: plan.output.count - 1, stride: 1)
                frame.output(0, as: T.self)[index] = rounded(value ?? Double(plan.fill))
            }
        }
    }

    /// The weighted sum over the taps of this axis and those before it; nil outside of the crop.
    private func sum<T: ResizableNumber>(_ x: UnsafePointer<T>, _ index: Int, axis: Int, stride: Int)
        -> Double?
    {
        guard axis >= 0 else { return x[0].asDouble }
        let table = tables[axis]
        let start = index % output[axis] * table.taps
        guard table.cells[start] >= 0 else { return nil }
        var total = 0.0
        for tap in start..<(start + table.taps) where table.weights[tap] != 0 || table.taps == 1 {
            let next = x + Int(table.cells[tap]) * stride
            guard let value = sum(next, index / output[axis], axis: axis - 1, stride: stride * extents[axis])
            else { return nil }
            total += Double(table.weights[tap]) * value
        }
        return total
    }
}

private func memoryZero(_ pointer: UnsafeMutableRawPointer, _ count: Int) {
    pointer.initializeMemory(as: UInt8.self, repeating: 0, count: count)
}

/// A number that interpolation reads.
protocol ResizableNumber { var asDouble: Double { get } }
extension ResizableNumber where Self: BinaryInteger { var asDouble: Double { Double(self) } }
extension ResizableNumber where Self: BinaryFloatingPoint { var asDouble: Double { Double(self) } }
extension Float: ResizableNumber {}
extension Double: ResizableNumber {}
extension Int8: ResizableNumber {}
extension UInt8: ResizableNumber {}
extension Int16: ResizableNumber {}
extension UInt16: ResizableNumber {}
extension Int32: ResizableNumber {}
extension UInt32: ResizableNumber {}
extension Int64: ResizableNumber {}
extension UInt64: ResizableNumber {}
