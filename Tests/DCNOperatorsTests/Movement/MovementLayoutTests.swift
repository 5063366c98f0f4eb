import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Movement channels last")
struct MovementLayoutTests {
    private func expectSame(_ op: any Operator, _ inputs: [Tensor], _ rest: [Tensor?] = [], outputs: Int = 1)
        throws
    {
        let plain = try run(op, inputs.map { $0 } + rest, outputs: outputs)
        let last = try run(op, inputs.map { channelsLast($0) } + rest, outputs: outputs)
        #expect(plain.count == outputs)
        for (left, right) in zip(plain, last) {
            #expect(right.type.layout == .channelsLast)
            let expected = channelsLast(left)
            #expect(right.extents == expected.extents)
            #expect(right.elements(as: Float.self) == expected.elements(as: Float.self))
        }
    }

    @Test("Concat along each axis", arguments: 0..<4)
    func concat(axis: Int) throws {
        var other = [2, 5, 3, 4]
        other[axis] = 3
        try expectSame(Concat(axis: axis), [counting([2, 5, 3, 4]), counting(other, from: 1000)])
    }

    @Test("Split along each axis", arguments: 0..<4)
    func split(axis: Int) throws {
        try expectSame(Split(axis: axis, parts: 2), [counting([4, 22, 3, 4])], outputs: 2)
    }

    @Test("Slice with steps of both signs")
    func slice() throws {
        let bounds: [Tensor] = [[-1, 1, 0], [-100, 20, 9], [1, 2, 3]].map {
            Tensor(vector: $0.map(Int64.init))
        }
        try expectSame(
            Slice(), [counting([2, 22, 5, 4])], [bounds[0], bounds[1], Tensor(vector: [Int64(1), 2, 3])])
        try expectSame(
            Slice(), [counting([2, 22, 5, 4])],
            [bounds[0], bounds[1], Tensor(vector: [Int64(1), 2, 3]), Tensor(vector: [Int64(-3), 2, 1])])
    }

    @Test("Pad in every mode", arguments: [Pad.Mode.constant, .reflect, .edge, .wrap])
    func pad(mode: Pad.Mode) throws {
        let pads = Tensor(vector: [Int64(0), 1, 2, -1, 1, 2, 1, 3])
        try expectSame(Pad(mode: mode), [counting([2, 5, 4, 6])], [pads])
        if mode == .constant {
            try expectSame(Pad(), [counting([2, 5, 4, 6])], [pads, Tensor(scalar: Float(-7))])
        }
    }

    @Test("DepthToSpace and back", arguments: [BlockOrder.depthFirst, .columnFirst])
    func blocks(order: BlockOrder) throws {
        try expectSame(DepthToSpace(blockSize: 2, order: order), [counting([2, 12, 3, 5])])
        try expectSame(SpaceToDepth(blockSize: 2, order: order), [counting([2, 3, 6, 4])])
        let x = counting([2, 12, 3, 5])
        let there = try run(DepthToSpace(blockSize: 2, order: order), [x])
        let back = try run(SpaceToDepth(blockSize: 2, order: order), there)[0]
        #expect(back.elements(as: Float.self) == x.elements(as: Float.self))
    }
}
