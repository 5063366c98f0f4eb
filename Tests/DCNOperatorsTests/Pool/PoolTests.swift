import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Pooling")
struct PoolTests {
    static let windows = [
        PoolWindow(kernel: [2, 3], strides: [2, 1]),
        PoolWindow(kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1]),
        PoolWindow(
            kernel: [3, 2], strides: [2, 2], dilations: [1, 2], pads: [0, 1, 1, 1], roundsUp: true),
        PoolWindow(kernel: [3, 3], strides: [2, 2], padding: .sameLower),
    ]
    static let kinds: [Pooling] = [
        .maximum, .average(countsPadding: false), .average(countsPadding: true), .norm(order: 2),
        .norm(order: 3),
    ]

    @Test("both layouts agree with double precision", arguments: windows, kinds)
    func layouts(window: PoolWindow, kind: Pooling) throws {
        let x = shuffled([2, 19, 7, 8])
        let op = Pool(kind, window)
        let outputs = kind == .maximum ? 2 : 1
        let expected = try run(op, [doubled(x)], outputs: outputs)
        let values = try #require(
            Tensor(extents: expected[0].extents, expected[0].elements(as: Double.self).map { Float($0) }))
        let last = channelsLast(values).elements(as: Float.self).map { Double($0) }
        for set in InstructionSet.available {
            let rows = try run(op, [x], outputs: outputs, on: set)
            let columns = try run(op, [channelsLast(x)], outputs: outputs, on: set)
            #expect(distance(rows[0].elements(as: Float.self), expected[0].elements(as: Double.self)) < 1e-5)
            #expect(distance(columns[0].elements(as: Float.self), last) < 1e-5)
            if outputs == 2 {
                #expect(rows[1].integers == expected[1].integers)
                #expect(columns[1].integers == expected[1].integers)
            }
        }
    }

    @Test("a volume's maximum is that of its bytes")
    func volume() throws {
        let x = try #require(Tensor(extents: [1, 1, 2, 2, 3], (0..<12).map { UInt8($0) }))
        let op = Pool(.maximum, PoolWindow(kernel: [2, 2, 2]))
        #expect(try run(op, [x])[0].elements(as: UInt8.self) == [10, 11])
    }

    @Test("maxima go back where they came from")
    func unpool() throws {
        let x = shuffled([1, 2, 4, 4])
        let window = PoolWindow(kernel: [2, 2], strides: [2, 2])
        let pooled = try run(Pool(.maximum, window), [x], outputs: 2)
        let back = try run(MaxUnpool(window), [pooled[0], pooled[1]])[0].elements(as: Float.self)
        let given = x.elements(as: Float.self)
        let places = Set(try #require(pooled[1].integers))
        for index in given.indices { #expect(back[index] == (places.contains(index) ? given[index] : 0)) }
        let wrong = try #require(Tensor(extents: pooled[1].extents, [Int64](repeating: 99, count: 8)))
        #expect(throws: Misfit.self) { try run(MaxUnpool(window), [pooled[0], wrong]) }
    }

    @Test("absurd windows are refused")
    func refusals() {
        let x = shuffled([1, 1, 3, 3])
        for window in [
            PoolWindow(kernel: [0, 1]), PoolWindow(kernel: [4, 4]),
            PoolWindow(kernel: [1, 1], strides: [0, 1]),
            PoolWindow(kernel: [2]), PoolWindow(kernel: [1, 1], pads: [1]),
        ] {
            #expect(throws: Misfit.self) { try run(Pool(.maximum, window), [x]) }
        }
    }

    @Test("whole planes", arguments: kinds)
    func planes(kind: Pooling) throws {
        let x = shuffled([2, 5, 3, 4])
        let expected = try run(GlobalPool(kind), [doubled(x)])[0].elements(as: Double.self)
        for set in InstructionSet.available {
            #expect(
                distance(try run(GlobalPool(kind), [x], on: set)[0].elements(as: Float.self), expected) < 1e-5
            )
        }
    }
}
