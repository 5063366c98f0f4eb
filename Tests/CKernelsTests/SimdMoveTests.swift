import CKernels
import Testing

private func shape(_ extent: [Int], _ x: [Int], _ y: [Int]) -> dcn_copy {
    func eight(_ a: [Int]) -> (Int, Int, Int, Int, Int, Int, Int, Int) {
        let b = a + [Int](repeating: 0, count: 8 - a.count)
        return (b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7])
    }
    return dcn_copy(rank: extent.count, extent: eight(extent), x_stride: eight(x), y_stride: eight(y))
}

private func rowMajor(_ extent: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: extent.count)
    for k in extent.indices.dropLast().reversed() { strides[k] = strides[k + 1] * extent[k + 1] }
    return strides
}

@Suite("Movement")
struct MovementTests {
    @Test("every transposition of every width", arguments: SimdKernels.available, [1, 2, 4, 8, 16])
    func transpositions(kernels: SimdKernels, width: Int) {
        var noise = Noise(51)
        for _ in 0..<60 {
            let rank = 1 + noise.index(5)
            let extent = (0..<rank).map { _ in [1, 2, 3, 5, 17, 20][noise.index(rank > 3 ? 4 : 6)] }
            var order = Array(0..<rank)
            for k in order.indices { order.swapAt(k, noise.index(rank)) }
            let source = rowMajor(extent), count = extent.reduce(1, *)
            let x = (0..<count * width).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) }
            var y = [UInt8](repeating: 0, count: count * width)
            let outer = order.map { extent[$0] }
            var copy = shape(outer, order.map { source[$0] }, rowMajor(outer))
            kernels.table.copy(width, &copy, x, &y)
            for at in 0..<count {
                var rest = at, from = 0
                for k in outer.indices.reversed() {
                    from += rest % outer[k] * source[order[k]]
                    rest /= outer[k]
                }
                let expected = x[from * width..<from * width + width]
                #expect(y[at * width..<at * width + width] == expected)
            }
        }
    }

    @Test("slices with steps, negative ones too, and repeated rows", arguments: SimdKernels.available)
    func slices(kernels: SimdKernels) {
        let x = (0..<60).map { Int32($0) }
        var y = [Int32](repeating: -1, count: 24)
        var copy = shape([3, 4], [20, 5], [8, 2])
        kernels.table.copy(4, &copy, x, &y)
        for at in 0..<24 {
            let expected = at % 2 == 1 ? -1 : at / 8 * 20 + at % 8 / 2 * 5
            #expect(y[at] == Int32(expected))
        }
        copy = shape([6], [-2], [1])
        x.withUnsafeBufferPointer { source in
            kernels.table.copy(4, &copy, source.baseAddress.map { $0 + 11 }, &y)
        }
        #expect(y.prefix(6) == [11, 9, 7, 5, 3, 1])
        copy = shape([2, 3, 2], [0, 1, 0], [6, 2, 1])
        kernels.table.copy(4, &copy, x, &y)
        #expect(y.prefix(12) == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
        let before = y
        copy = shape([2, 0], [1, 1], [1, 1])
        kernels.table.copy(4, &copy, x, &y)
        #expect(y == before)
        copy = shape([], [], [])
        kernels.table.copy(4, &copy, x, &y)
        #expect(y[0] == 0)
    }

    @Test("filling and gathering", arguments: SimdKernels.available)
    func fillAndGather(kernels: SimdKernels) {
        for width in [1, 2, 4, 8, 16] {
            let value = (1...width).map { UInt8($0) }
            var y = [UInt8](repeating: 0, count: 21 * width)
            kernels.table.fill(width, value, &y, 20)
            #expect(y.indices.allSatisfy { y[$0] == ($0 < 20 * width ? value[$0 % width] : 0) })
        }
        let x: [UInt8] = [0, 1, 2, 10, 11, 12, 20, 21, 22]
        var y = [UInt8](repeating: 0, count: 12)
        kernels.table.gather_rows(3, 4, [2, 0, 2, 1], x, &y)
        #expect(y == [20, 21, 22, 0, 1, 2, 20, 21, 22, 10, 11, 12])
    }
}

@Suite("Checksum")
struct ChecksumTests {
    @Test("has the same value everywhere")
    func stable() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(dcn_checksum(bytes, 0) == 0xdfdb5986d9c718bd)
        #expect(dcn_checksum(bytes, 1) == 0x76189d6dd482ce46)
        #expect(dcn_checksum(bytes, 1000) == 0xe78158c25ebafcda)
    }

    @Test("any flipped bit, any truncation and any swap of words is seen")
    func sensitive() {
        var bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let whole = dcn_checksum(bytes, 200)
        for bit in 0..<1600 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(dcn_checksum(bytes, 200) != whole)
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
        let zeros = [UInt8](repeating: 0, count: 300)
        #expect(Set((0...300).map { dcn_checksum(zeros, $0) }).count == 301)
        for i in 0..<24 {
            for j in 0..<i {
                var swapped = bytes
                for k in 0..<8 { swapped.swapAt(i * 8 + k, j * 8 + k) }
                #expect(dcn_checksum(swapped, 200) != whole)
            }
        }
    }

    @Test(
        "blocks that trade places are seen, whatever their length",
        arguments: [64, 512, 1024, 4096, 65_536])
    func trades(length: Int) {
        let bytes = (0..<length * 6).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7 &+ $0 / length) }
        let whole = dcn_checksum(bytes, bytes.count)
        for i in 0..<6 {
            for j in 0..<i {
                var traded = bytes
                for k in 0..<length { traded.swapAt(i * length + k, j * length + k) }
                #expect(dcn_checksum(traded, traded.count) != whole)
            }
        }
    }
}
