import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Operators on quantised bytes")
struct QLinearTests {
    static let codes = (0..<256).map { UInt8($0) }
    let x = Tensor(extents: [1, 2, 8, 16], codes)
    let scale = Tensor(scalar: Float(0.05))
    let zero = Tensor(scalar: UInt8(120))

    private func real(_ code: UInt8) -> Float { Float(Int(code) - 120) * 0.05 }
    private func code(_ value: Float, scale: Float, zero: Int) -> UInt8 {
        UInt8(min(max((value / scale).rounded(.toNearestOrEven) + Float(zero), 0), 255))
    }

    @Test("products of floats of eight bits are rounded once")
    func narrowProduct() throws {
        let one = Tensor(scalar: Float(1))
        func narrow(_ values: [Float], _ extents: [Int], _ element: ElementType) throws -> Tensor {
            try run(Cast(to: element), [try #require(Tensor(extents: extents, values))])[0]
        }
        let a = try narrow([0.5, 2, -1.5, 300], [2, 2], .float8e4m3fn)
        let b = try narrow([4, 0.25], [2, 1], .float8e5m2)
        let zeros = [try narrow([0], [], .float8e4m3fn), try narrow([0], [], .float8e5m2)]
        let y = try run(QLinearMatMul(), [a, one, zeros[0], b, one, zeros[1], one, zeros[0]])[0]
        let expected = try narrow([0.5 * 4 + 2 * 0.25, -1.5 * 4 + 288 * 0.25], [2, 1], .float8e4m3fn)
        #expect(y.type == expected.type && y.elements(as: UInt8.self) == expected.elements(as: UInt8.self))
        let bytes = try run(
            QLinearMatMul(), [a, one, zeros[0], b, one, zeros[1], one, Tensor(scalar: UInt8(3))])[0]
        #expect(bytes.elements(as: UInt8.self) == [5, 69])
    }

    @Test("rows and columns of every matrix of a batch have scales and zero points of their own")
    func batchedScales() throws {
        let a = try #require(Tensor(extents: [2, 1, 2], [UInt8(3), 5, 7, 9]))
        let b = try #require(Tensor(extents: [2, 2, 1], [UInt8(1), 2, 3, 4]))
        let scales = try #require(Tensor(extents: [2, 1, 1], [Float(1), 10]))
        let zeros = try #require(Tensor(extents: [2, 1, 1], [UInt8(1), 2]))
        let (one, zero) = (Tensor(scalar: Float(1)), Tensor(scalar: UInt8(0)))
        let y = try run(QLinearMatMul(), [a, scales, zeros, b, one, zero, Tensor(scalar: Float(10)), zero])[0]
        // (2, 4) · (1, 2) = 10 over 10; 10 · (5, 7) · (3, 4) = 430 over 10.
        #expect(y.elements(as: UInt8.self) == [1, 43])
        let sums = try run(MatMulInteger(), [a, b, zeros, nil])[0]
        #expect(sums.elements(as: Int32.self) == [10, 43])
    }

    @Test("maps are de-quantised, computed and quantised")
    func maps() throws {
        let result = [Tensor(scalar: Float(1) / 256), Tensor(scalar: UInt8(0))]
        let y = try run(QLinearMap(.sigmoid), [x, scale, zero] + result)[0].elements(as: UInt8.self)
        let expected = Self.codes.map {
            code(Float(Sigmoid().value(Double(real($0)))), scale: 1 / 256, zero: 0)
        }
        #expect(y == expected)
        let leaky = try run(QLinearMap(.leakyRelu(alpha: 0.5)), [x, scale, zero, scale, zero])[0]
        #expect(leaky.elements(as: UInt8.self)[0] == 60 && leaky.elements(as: UInt8.self)[200] == 200)
    }

    @Test("sums and products are quantised again, shapes broadcast")
    func arithmetic() throws {
        let b = Tensor(extents: [2, 1, 1], [UInt8(100), 130])
        let inputs = [x, scale, zero, b, scale, zero, Tensor(scalar: Float(0.1)), Tensor(scalar: UInt8(128))]
        for multiplies in [false, true] {
            let y = try run(QLinearArithmetic(multiplies: multiplies), inputs)[0].elements(as: UInt8.self)
            let expected = Self.codes.map { value in
                let other = real(value < 128 ? 100 : 130)
                return code(multiplies ? real(value) * other : real(value) + other, scale: 0.1, zero: 128)
            }
            #expect(y == expected)
        }
    }

    @Test("means over channels in the second and in the last place")
    func mean() throws {
        let inputs = [x, scale, zero, scale, zero]
        #expect(try run(QLinearGlobalAveragePool(), inputs)[0].elements(as: UInt8.self) == [64, 192])
        let last = Tensor(extents: [1, 2, 1, 2], [UInt8(10), 20, 30, 60])
        let y = try run(QLinearGlobalAveragePool(isChannelsLast: true), [last, scale, zero, scale, zero])[0]
        #expect(y.elements(as: UInt8.self) == [20, 40] && y.extents == [1, 1, 1, 2])
    }

    @Test("operands of different scales are joined")
    func concat() throws {
        let a = Tensor(extents: [2, 1], [UInt8(130), 140])
        let b = Tensor(extents: [2, 2], [UInt8(1), 2, 3, 4])
        let inputs = [scale, zero, a, scale, zero, b, Tensor(scalar: Float(0.1)), Tensor(scalar: UInt8(0))]
        let y = try run(QLinearConcat(axis: -1), inputs)[0]
        #expect(y.extents == [2, 3] && y.elements(as: UInt8.self) == [130, 122, 124, 140, 126, 128])
    }
}
