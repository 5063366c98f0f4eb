internal import DCNGraph

/// Reads RE2's syntax from left to right.
struct RegexParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    /// Groups in groups; more are refused.
    private static let deepest = 200
    /// RE2's bound of a counted repetition.
    private static let mostRepeats = 1000

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    /// The whole pattern.
    mutating func parsed() throws(Misfit) -> RegexExpression {
        let expression = try choice()
        guard position == scalars.count else { throw wrong("has ')' without '('") }
        return expression
    }

    private func wrong(_ what: String) -> Misfit {
        .attribute("pattern", because: "\(what) at character \(position)")
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws(Misfit) -> RegexExpression {
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(Misfit) -> RegexExpression {
        var parts: [RegexExpression] = []
        while let scalar = next, scalar != "|", scalar != ")" { parts.append(try repeated(try atom())) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repeated(_ atom: RegexExpression) throws(Misfit) -> RegexExpression {
        var bounds: (least: Int, most: Int?)
        switch next {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{":
            guard let counted = counted() else { return atom }
            bounds = counted
            guard bounds.least <= Self.mostRepeats, bounds.most ?? 0 <= Self.mostRepeats,
                bounds.least <= bounds.most ?? bounds.least
            else { throw wrong("repeats \(bounds.least) to \(bounds.most ?? bounds.least) times") }
            position -= 1
        default: return atom
        }
        position += 1
        // Whether few or many repetitions are tried first decides nothing about full matches.
        _ = take("?")
        if let following = next, ["*", "+"].contains(following) { throw wrong("repeats a repetition") }
        return .repetition(atom, least: bounds.least, most: bounds.most)
    }

    /// `{2}`, `{2,}` or `{2,5}`, read past its end; nil where the brace is an ordinary character.
    private mutating func counted() -> (least: Int, most: Int?)? {
        guard let end = scalars[position...].firstIndex(of: "}") else { return nil }
        let text = String(String.UnicodeScalarView(scalars[position + 1..<end]))
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ $0.allSatisfy { "0" <= $0 && $0 <= "9" } }),
            !parts[0].isEmpty,
            let least = Int(parts[0])
        else { return nil }
        let most = parts.count == 1 ? least : parts[1].isEmpty ? nil : Int(parts[1]) ?? Int.max
        position = end + 1
        return (least, most)
    }

    private mutating func atom() throws(Misfit) -> RegexExpression {
        guard let scalar = next else { return .empty }
        // A brace that counts nothing stands for itself.
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return .character(try bracket())
        case ".": return .character(.init(ranges: [10...10], isNegated: true))
        case "^": return .start
        case "$": return .end
        case "\\": return try escape()
        case "*", "+", "?":
            position -= 1
            throw wrong("repeats nothing")
        default: return .character(.init(ranges: [scalar.value...scalar.value]))
        }
    }

    private mutating func group() throws(Misfit) -> RegexExpression {
        depth += 1
        guard depth <= Self.deepest else {
            throw .limit(of: "the depth of the regular expression", asked: depth, limit: Self.deepest)
        }
        if take("?") { try groupName() }
        let inner = try choice()
        guard take(")") else { throw wrong("has '(' without ')'") }
        depth -= 1
        return inner
    }

    private mutating func groupName() throws(Misfit) {
        if take(":") { return }
        _ = take("P")
        guard take("<"), let end = scalars[position...].firstIndex(of: ">"), end > position,
            scalars[position] != "=", scalars[position] != "!"
        else { throw .unsupported("flags in a regular expression") }
        position = end + 1
    }

    private mutating func escape() throws(Misfit) -> RegexExpression {
        switch next {
        case "b", "B":
            position += 1
            return .boundary(scalars[position - 1] == "b")
        case "A":
            position += 1
            return .start
        case "z":
            position += 1
            return .end
        default: return .character(try escapedSet())
        }
    }

    /// What follows a backslash, as a set.
    private mutating func escapedSet() throws(Misfit) -> LinearRegex.CharacterSet {
        guard let scalar = next else { throw wrong("ends in a backslash") }
        position += 1
        func one(_ value: UInt32) -> LinearRegex.CharacterSet { .init(ranges: [value...value]) }
        switch scalar {
        case "d", "D": return .init(ranges: Self.digits, isNegated: scalar == "D")
        case "w", "W": return .init(ranges: Self.letters, isNegated: scalar == "W")
        case "s", "S": return .init(ranges: Self.spaces, isNegated: scalar == "S")
        case "a": return one(7)
        case "t": return one(9)
        case "n": return one(10)
        case "v": return one(11)
        case "f": return one(12)
        case "r": return one(13)
        case "x": return one(try hexadecimal())
        default:
            guard scalar.isASCII, !scalar.properties.isAlphabetic, scalar.properties.numericType == nil else {
                throw .unsupported("'\\\(escaped(String(scalar)))' in a regular expression")
            }
            return one(scalar.value)
        }
    }

    private mutating func hexadecimal() throws(Misfit) -> UInt32 {
        let isBraced = take("{")
        let start = position
        let end = isBraced ? scalars[position...].firstIndex(of: "}") ?? scalars.count : position + 2
        guard end <= scalars.count, start < end,
            let value = UInt32(String(String.UnicodeScalarView(scalars[start..<end])), radix: 16),
            value <= 0x10_FFFF
        else { throw wrong("has a wrong \\x") }
        position = isBraced ? end + 1 : end
        guard position <= scalars.count else { throw wrong("has a wrong \\x") }
        return value
    }

    /// `[a-z]`, read after its bracket.
    private mutating func bracket() throws(Misfit) -> LinearRegex.CharacterSet {
        var set = LinearRegex.CharacterSet(ranges: [], isNegated: take("^"))
        var isFirst = true
        while let scalar = next, isFirst || scalar != "]" {
            isFirst = false
            position += 1
            if scalar == "[", next == ":" { throw .unsupported("named classes in a regular expression") }
            var low = LinearRegex.CharacterSet(ranges: [scalar.value...scalar.value])
            if scalar == "\\" { low = try escapedSet() }
            guard low.ranges.count == 1, !low.isNegated, next == "-", position + 1 < scalars.count,
                scalars[position + 1] != "]"
            else {
                set.ranges += low.isNegated ? complement(low.ranges) : low.ranges
                continue
            }
            position += 1
            guard let last = next else { break }
            position += 1
            let high = last == "\\" ? try escapedSet() : .init(ranges: [last.value...last.value])
            guard let end = high.ranges.first?.upperBound, let begin = low.ranges.first?.lowerBound,
                begin <= end,
                high.ranges.count == 1
            else { throw wrong("has a range that runs backwards") }
            set.ranges.append(begin...end)
        }
        guard take("]") else { throw wrong("has '[' without ']'") }
        return set
    }

    private func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var start: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > start { result.append(start...range.lowerBound - 1) }
            start = range.upperBound + 1
        }
        return result + [start...0x10_FFFF]
    }

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let letters: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let spaces: [ClosedRange<UInt32>] = [9...10, 12...13, 32...32]
}
