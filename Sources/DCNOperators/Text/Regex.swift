internal import DCNGraph

/// A regular expression of RE2's syntax, as far as full matches need it: characters, classes, groups, choices,
/// repetitions, `^`, `$` and `\b`. Matching takes time in proportion to the text times the size of the expression.
struct LinearRegex: Sendable {
    /// Characters, as ranges of code points.
    struct CharacterSet: Sendable {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false

        func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }
    }

    enum Instruction: Sendable {
        case character(CharacterSet)
        case fork(Int, Int)
        case jump(Int)
        case atStart
        case atEnd
        case atBoundary(Bool)
        case accept
    }

    private var program: [Instruction] = []
    private var parts = 0
    /// Repetitions are written out; a longer program is refused.
    private static let longest = 20_000

    /// The program of a pattern; throws where it is wrong, or has what is not to be had here.
    init(_ pattern: String) throws(Misfit) {
        var parser = RegexParser(pattern)
        let expression = try parser.parsed()
        try compile(expression)
        program.append(.accept)
    }

    private mutating func compile(_ expression: RegexExpression) throws(Misfit) {
        // Parts are counted, not instructions: a repetition of nothing adds none.
        parts += 1
        guard parts < Self.longest else {
            throw .limit(of: "the size of the regular expression", asked: parts, limit: Self.longest)
        }
        switch expression {
        case .empty: break
        case .character(let set): program.append(.character(set))
        case .start: program.append(.atStart)
        case .end: program.append(.atEnd)
        case .boundary(let isOne): program.append(.atBoundary(isOne))
        case .sequence(let parts): for part in parts { try compile(part) }
        case .choice(let parts): try compileChoice(parts[...])
        case .repetition(let part, let least, let most):
            for _ in 0..<least { try compile(part) }
            guard let most else { return try compileLoop(part) }
            for _ in 0..<max(0, most - least) {
                let fork = program.count
                program.append(.fork(fork + 1, 0))
                try compile(part)
                program[fork] = .fork(fork + 1, program.count)
            }
        }
    }

    private mutating func compileChoice(_ parts: ArraySlice<RegexExpression>) throws(Misfit) {
        var jumps: [Int] = []
        for (index, part) in parts.enumerated() {
            guard index < parts.count - 1 else {
                try compile(part)
                break
            }
            let fork = program.count
            program.append(.fork(fork + 1, 0))
            try compile(part)
            jumps.append(program.count)
            program.append(.jump(0))
            program[fork] = .fork(fork + 1, program.count)
        }
        for jump in jumps { program[jump] = .jump(program.count) }
    }

    private mutating func compileLoop(_ part: RegexExpression) throws(Misfit) {
        let fork = program.count
        program.append(.fork(fork + 1, 0))
        try compile(part)
        program.append(.jump(fork))
        program[fork] = .fork(fork + 1, program.count)
    }

    /// Whether the whole text matches.
    func matches(_ text: String) -> Bool {
        let scalars = text.unicodeScalars.map(\.value)
        var marks = [Int](repeating: -1, count: program.count)
        var states: [Int] = []
        var starts = [0]
        follow(&starts, at: 0, in: scalars, &states, &marks)
        for (position, scalar) in scalars.enumerated() {
            for state in states {
                if case .character(let set) = program[state], set.contains(scalar) {
                    starts.append(state + 1)
                }
            }
            guard !starts.isEmpty else { return false }
            follow(&starts, at: position + 1, in: scalars, &states, &marks)
        }
        return states.contains { if case .accept = program[$0] { true } else { false } }
    }

    /// All states that `pending` ones lead to without reading; each once. Afterwards none is pending.
    private func follow(
        _ pending: inout [Int], at position: Int, in scalars: [UInt32],
        _ states: inout [Int], _ marks: inout [Int]
    ) {
        states.removeAll(keepingCapacity: true)
        while let state = pending.popLast() {
            guard marks[state] != position else { continue }
            marks[state] = position
            switch program[state] {
            case .character, .accept: states.append(state)
            case .fork(let first, let second):
                pending.append(first)
                pending.append(second)
            case .jump(let target): pending.append(target)
            case .atBoundary(let isOne):
                if isOne == (isWord(scalars, position - 1) != isWord(scalars, position)) {
                    pending.append(state + 1)
                }
            case .atStart: if position == 0 { pending.append(state + 1) }
            case .atEnd: if position == scalars.count { pending.append(state + 1) }
            }
        }
    }
}

/// Whether there is a letter of ASCII, a digit or an underscore at a place.
private func isWord(_ scalars: [UInt32], _ place: Int) -> Bool {
    guard scalars.indices.contains(place), let scalar = Unicode.Scalar(scalars[place]) else { return false }
    return scalar == "_"
        || scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
}

/// What a regular expression says.
indirect enum RegexExpression {
    case empty, start, end
    case boundary(Bool)
    case character(LinearRegex.CharacterSet)
    case sequence([RegexExpression])
    case choice([RegexExpression])
    case repetition(RegexExpression, least: Int, most: Int?)
}
