package import DCNGraph

/// Gives what it takes.
package struct Identity: Operator {
    package static let name = "Identity"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        [try inputs.requiredValue(0, "input")]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(ValueRoutine { (values, _) throws(Misfit) in [values[0]] })
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] { [inputs.knownDimensions[0]] }
}

extension Family {
    static let activations = Family(
        [Identity.self],
        ["": ["Identity": { (_) throws(Misfit) in Meaning(Identity()) }]])
}
