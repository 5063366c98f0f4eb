internal import DCNGraph

/// Which written operand of a deformable convolution is what.
///
/// Files agree on x being the first and on nothing else. Of the orders there are, the first is taken in which all
/// known shapes fit: weights [O, C/G, KH, KW], offset with 2·KH·KW channels per offset group and the output's extents,
/// mask with half as many, bias of rank 1.
struct DeformRoles {
    /// Positions of x, weight, offset, bias and mask.
    let order: [Int?]
    /// Groups as the shapes say.
    let groups: Int?
    /// Offset groups as the shapes say.
    let offsetGroups: Int?

    init(_ node: SourceNode, window: Window, groups: Int?) {
        let operands = node.operands ?? Inputs([])
        let orders = Self.orders(count: node.inputs.count)
        let order = orders.first { Self.fits($0, operands, window, groups) } ?? orders.first ?? [0, 2, 1]
        self.order = order
        let weight = Self.shape(order[1], operands)
        let channels = Self.shape(order[2], operands)?[1].fixed
        if let taps = Self.taps(weight), let channels, channels % (2 * taps) == 0 {
            offsetGroups = max(1, channels / (2 * taps))
        } else {
            offsetGroups = nil
        }
        if let all = Self.shape(0, operands)?[1].fixed, let some = weight?[1].fixed, some > 0, all % some == 0
        {
            self.groups = max(1, all / some)
        } else {
            self.groups = nil
        }
    }

    /// The orders in use, as positions of x, weight, offset, bias, mask: the most common first.
    private static func orders(count: Int) -> [[Int?]] {
        switch count {
        case 3: [[0, 2, 1], [0, 1, 2]]
        case 4:
            [
                [0, 3, 1, nil, 2], [0, 2, 1, 3, nil], [0, 2, 1, nil, 3], [0, 1, 2, 3, nil],
                [0, 1, 2, nil, 3],
            ]
        default: [[0, 3, 1, 4, 2], [0, 1, 2, 3, 4], [0, 1, 2, 4, 3], [0, 2, 1, 4, 3], [0, 2, 1, 3, 4]]
        }
    }

    /// The shape of an operand of rank 4.
    private static func shape(_ index: Int?, _ operands: Inputs) -> Shape? {
        guard let index, index < operands.count, let shape = operands.types[index]?.tensor?.shape,
            shape.rank == 4
        else {
            return nil
        }
        return shape
    }

    private static func taps(_ weight: Shape?) -> Int? {
        guard let h = weight?[2].fixed, let w = weight?[3].fixed, h > 0, w > 0, h < 1 << 16, w < 1 << 16
        else { return nil }
        return h * w
    }

    private static func fits(_ order: [Int?], _ operands: Inputs, _ window: Window, _ groups: Int?) -> Bool {
        guard ranksFit(order, operands) else { return false }
        let (x, weight, offset) = (shape(0, operands), shape(order[1], operands), shape(order[2], operands))
        let mask = order.count > 4 ? shape(order[4], operands) : nil
        if let taps = taps(weight) {
            if let channels = offset?[1].fixed, channels % (2 * taps) != 0 { return false }
            if let channels = mask?[1].fixed, channels % taps != 0 { return false }
        }
        if let both = offset?[1].fixed, let one = mask?[1].fixed, both % 2 != 0 || both / 2 != one {
            return false
        }
        if let all = x?[1].fixed, let some = weight?[1].fixed {
            guard some > 0, all % some == 0, groups == nil || groups == all / some else { return false }
        }
        if order.count > 3, let bias = order[3], bias < operands.count,
            let extent = operands.types[bias]?.tensor?.shape?.dimensions.first?.fixed,
            let outputs = weight?[0].fixed,
            extent != outputs
        {
            return false
        }
        return outputFits(x, weight, offset, window)
    }

    private static func ranksFit(_ order: [Int?], _ operands: Inputs) -> Bool {
        for (role, index) in order.enumerated() {
            guard let index, index < operands.count else { continue }
            guard let type = operands.types[index] else {
                if role < 3 { return false }
                continue
            }
            if let rank = type.tensor?.shape?.rank, rank != (role == 3 ? 1 : 4) { return false }
        }
        return true
    }

    private static func outputFits(_ x: Shape?, _ weight: Shape?, _ offset: Shape?, _ window: Window) -> Bool
    {
        guard let x, let offset, let h = weight?[2].fixed, let w = weight?[3].fixed,
            let resolved = try? window.resolved(kernel: [h, w])
        else { return true }
        for axis in 0..<2 {
            guard let input = x[axis + 2].fixed, let output = offset[axis + 2].fixed else { continue }
            guard input <= Window.largest, resolved.output(axis, extent: input) == output else {
                return false
            }
        }
        return true
    }
}
