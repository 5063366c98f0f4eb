extension LayoutRule {
    /// Throws unless operands of these types lie as an operator of this rule reads them.
    package func expect(_ types: [ValueType?]) throws(Misfit) {
        let isLast = types.map { $0?.tensor?.layout == .channelsLast }
        switch self {
        case .rowMajor:
            if let index = isLast.firstIndex(of: true) { throw Self.misfit(index, .rowMajor) }
        case .channelsLast(let inputs, _, let either):
            for (index, type) in types.enumerated() where type != nil && !either.contains(index) {
                let wanted = inputs.contains(index)
                if isLast[index] != wanted { throw Self.misfit(index, wanted ? .channelsLast : .rowMajor) }
            }
        case .follow(let inputs, _):
            let follows = inputs.contains { $0 < isLast.count && isLast[$0] }
            for (index, type) in types.enumerated() where type != nil {
                let wanted = follows && inputs.contains(index)
                if isLast[index] != wanted { throw Self.misfit(index, wanted ? .channelsLast : .rowMajor) }
            }
        }
    }

    private static func misfit(_ index: Int, _ wanted: Layout) -> Misfit {
        .value(
            of: "input \(index)",
            because: "does not lie \(wanted == .rowMajor ? "row-major" : "channels last")")
    }
}
