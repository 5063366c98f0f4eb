package import DCNGraph

/// y = the remainder of a / b: with the sign of b, or of a where `truncates`. Of integers 0 where b is 0, of floats NaN.
package struct Mod: PairMap {
    package static let name = "Mod"
    package static let since = 10
    /// Whether the quotient is rounded towards zero and not down.
    package var truncates: Bool
    package init(truncates: Bool = false) { self.truncates = truncates }
    package var attributes: [(name: String, value: SourceAttribute)] { [("fmod", .int(truncates ? 1 : 0))] }

    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
        guard b != 0 else { return 0 }
        let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
        return !truncates && rest != 0 && (rest < 0) != (b < 0) ? rest &+ b : rest
    }

    package func value(_ a: Double, _ b: Double) -> Double {
        let rest = a.truncatingRemainder(dividingBy: b)
        guard !truncates else { return rest }
        if rest == 0 { return b < 0 ? -0.0 : 0 }
        return (rest < 0) != (b < 0) ? rest + b : rest
    }

    package func single(_ a: Float, _ b: Float) -> Float {
        let rest = a.truncatingRemainder(dividingBy: b)
        guard !truncates else { return rest }
        if rest == 0 { return b < 0 ? -0.0 : 0 }
        return (rest < 0) != (b < 0) ? rest + b : rest
    }
}
