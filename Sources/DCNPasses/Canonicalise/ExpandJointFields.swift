package import DCNGraph
internal import DCNOperators

/// Takes apart a tensor that holds offsets and masks group by group, as DCNv4 has it.
///
///     aggregate(x, joint) {isJoint} → aggregate(x, offsets, masks)
///
/// joint [N, OH, OW, G·T·3 and padding], of each group first 2·T offsets, then T masks.
package struct ExpandJointFields: Rule {
    package static let name = "expand-joint-fields"
    let x = Wire(), joint = Wire(), aggregate = Hole<DeformAggregate>()
    package init() {}

    package var pattern: Pattern { aggregate(x(), joint()) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let x = match[x], let joint = match[joint], let (op, node) = match[aggregate], op.isJoint else {
            return nil
        }
        let names = names(of: node, graph)
        return try Build.into(&graph, at: node) { (build) throws(DCNError) in
            try apart(op, x, joint, names, &build)
        }
    }

    private func apart(
        _ op: DeformAggregate, _ x: ValueID, _ joint: ValueID, _ names: [String?], _ build: inout Build
    ) throws(DCNError) -> ValueID {
        let (groups, taps) = (op.groups, op.taps)
        let used = try build.slice(joint, from: 0, to: 3 * groups * taps, axis: 3)
        let grouped = try build.reshape(used, [0, 0, 0, groups, 3 * taps])
        let offsets = try build.slice(grouped, from: 0, to: 2 * taps, axis: 4)
        let masks = try build.slice(grouped, from: 2 * taps, to: 3 * taps, axis: 4)
        var apart = op
        apart.isJoint = false
        return try build.append(
            apart,
            [
                x, build.reshape(offsets, [0, 0, 0, 2 * groups * taps]),
                build.reshape(masks, [0, 0, 0, groups * taps]),
            ],
            outputNames: names)
    }
}
