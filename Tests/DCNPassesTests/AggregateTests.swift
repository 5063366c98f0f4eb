import DCNGraph
import DCNOperators
import DCNPasses
import TestSupport
import Testing

@Suite struct AggregateTests {
    private func op(scale: Float, skipsCentre: Bool) -> DeformAggregate {
        var window = Window()
        window.kernel = [3, 3]
        window.strides = [1, 2]
        window.dilations = [2, 1]
        window.pads = [2, 1, 2, 1]
        return DeformAggregate(window: window, groups: 2, offsetScale: scale, skipsCentre: skipsCentre)
    }

    /// x [2, 5, 7, 6] gives [2, 5, 4, 6].
    private func graph(_ op: DeformAggregate) throws -> Graph {
        var build = Builder()
        let x = build.input("x", [2, 5, 7, 6])
        let offset = build.input("offset", [2, 5, 4, 4 * op.taps])
        let mask = build.input("mask", [2, 5, 4, 2 * op.taps])
        build.graph.addOutput(try build.node(op, [x, offset, mask], "y"))
        return build.graph
    }

    @Test(arguments: [(1, false), (0.5, false), (1, true), (2, true)] as [(Float, Bool)])
    func aDepthwiseConvolutionSaysTheSame(_ scale: Float, _ skipsCentre: Bool) throws {
        let before = try graph(op(scale: scale, skipsCentre: skipsCentre))
        let (lowered, log) = try after(Lower(), before)
        #expect(log.map(\.rule) == ["lower"])
        #expect(!operators(lowered).contains("DeformAggregate"))
        let names = lowered.nodes.map { lowered[$0].name }
        #expect(Set(names).count == names.count && names.allSatisfy { $0.hasPrefix("y/") })
        #expect(operators(lowered).count { $0 == "DeformConv" } == 1)
        let (a, b) = (try answers(before)[0], try answers(lowered)[0])
        #expect(a.count == 240 && a.count == b.count)
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 })
    }

    @Test func jointFieldsAreTakenApart() throws {
        var joint = op(scale: 1, skipsCentre: false)
        joint.isJoint = true
        var build = Builder()
        let x = build.input("x", [2, 5, 7, 6])
        let fields = build.input("fields", [2, 5, 4, 56])
        build.graph.addOutput(try build.node(joint, [x, fields], "y"))
        let (apart, log) = try after(Rewrite(ExpandJointFields()), build.graph)
        #expect(log.map(\.rule) == ["expand-joint-fields"])
        #expect(try answers(apart) == answers(build.graph))
        let lowered = try after(Lower(), apart).graph
        let names = lowered.nodes.map { lowered[$0].name }
        #expect(Set(names).count == names.count)
    }

    @Test func fieldsThatStandApartStay() throws {
        let before = try graph(op(scale: 1, skipsCentre: false))
        #expect(try after(Rewrite(ExpandJointFields()), before).log == [])
    }
}

@Suite struct FoldChannelOrderTests {
    private func graph(_ order: [Int64], readsAll: Bool) throws -> Graph {
        var build = Builder()
        let x = build.input("x", [1, 3, 5, 4])
        let y = try build.node(
            Conv(), [x, build.constant("w", [6, 3, 1, 1]), build.constant("b", [6])], "y")
        func slice(_ from: Int64, _ to: Int64, _ name: String) throws -> ValueID {
            try build.node(
                Slice(),
                [y, build.integers("s", [from]), build.integers("e", [to]), build.integers("a", [1])], name)
        }
        let first = try slice(0, 4, "first")
        let second = try slice(readsAll ? 0 : 4, 6, "second")
        build.graph.addOutput(try build.node(Gather(axis: 1), [first, build.integers("order", order)], "z"))
        build.graph.addOutput(second)
        return build.graph
    }

    @Test func aConvolutionWritesItsChannelsInOrder() throws {
        let before = try graph([2, 0, 3, 1], readsAll: false)
        let (folded, log) = try after(FoldChannelOrder(), before)
        #expect(log.count == 1)
        #expect(!operators(folded).contains("Gather"))
        #expect(try answers(folded) == answers(before))
    }

    @Test func channelsThatOthersReadStay() throws {
        #expect(try after(FoldChannelOrder(), graph([2, 0, 3, 1], readsAll: true)).log == [])
    }

    @Test func whatIsNoOrderStays() throws {
        #expect(try after(FoldChannelOrder(), graph([2, 0, 2, 1], readsAll: false)).log == [])
    }
}
