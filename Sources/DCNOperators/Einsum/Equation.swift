internal import DCNGraph

/// A sum of products as letters say it: which axes of which operand go together.
struct Equation: Sendable, Hashable {
    /// What an axis is called: a letter, or a position of the ellipsis counted from its end.
    enum Label: Sendable, Hashable {
        case letter(UInt8)
        case ellipsis(Int)
    }

    /// Letters of each operand, `nil` where the ellipsis stands.
    let operands: [[UInt8?]]
    /// Those of the result; nil where the equation does not say.
    let result: [UInt8?]?

    init(_ text: String) throws(Misfit) {
        var parts = [[UInt8]()]
        var rest = text.utf8.filter { $0 != UInt8(ascii: " ") }[...]
        var isResult = false
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "-"), rest.first == UInt8(ascii: ">"), !isResult {
                rest.removeFirst()
                isResult = true
                parts.append([])
            } else if byte == UInt8(ascii: ","), !isResult {
                parts.append([])
            } else {
                parts[parts.count - 1].append(byte)
            }
        }
        var terms: [[UInt8?]] = []
        for part in parts { terms.append(try Equation.term(part, text)) }
        result = isResult ? terms.removeLast() : nil
        operands = terms
    }

    private static func term(_ bytes: [UInt8], _ text: String) throws(Misfit) -> [UInt8?] {
        var letters: [UInt8?] = []
        var rest = bytes[...]
        let dot = UInt8(ascii: ".")
        while let byte = rest.popFirst() {
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            if isLetter {
                letters.append(byte)
            } else if byte == dot, rest.starts(with: [dot, dot]), !letters.contains(nil) {
                rest.removeFirst(2)
                letters.append(nil)
            } else {
                throw .attribute("equation", because: "is '\(escaped(text))', which cannot be read")
            }
        }
        return letters
    }

    /// The labels of all axes of each operand, whose ranks are known, then those of the result.
    func labels(ranks: [Int]) throws(Misfit) -> (operands: [[Label]], result: [Label]) {
        guard ranks.count == operands.count else {
            throw .attribute(
                "equation", because: "names \(operands.count) operands, there are \(ranks.count)")
        }
        var all: [[Label]] = []
        var widest = 0
        for (letters, rank) in zip(operands, ranks) {
            let hidden = rank - letters.count { $0 != nil }
            guard hidden == 0 || (hidden > 0 && letters.contains(nil)) else {
                throw .rank(
                    of: "operand \(all.count)", expected: "\(letters.count { $0 != nil }) by the equation",
                    got: rank)
            }
            all.append(Equation.spread(letters, hidden))
            widest = max(widest, hidden)
        }
        let given = Set(all.joined())
        let result = result.map { Equation.spread($0, widest) } ?? implied(all, widest)
        guard Set(result).count == result.count, result.allSatisfy(given.contains) else {
            throw .attribute("equation", because: "gives an axis twice, or one that no operand has")
        }
        return (all, result)
    }

    private static func spread(_ letters: [UInt8?], _ hidden: Int) -> [Label] {
        letters.flatMap { letter in
            letter.map { [Label.letter($0)] } ?? (0..<hidden).reversed().map { Label.ellipsis($0) }
        }
    }

    /// The ellipsis, then letters that stand once, in order.
    private func implied(_ all: [[Label]], _ widest: Int) -> [Label] {
        var counts: [UInt8: Int] = [:]
        for case let letter? in operands.joined() { counts[letter, default: 0] += 1 }
        let once = counts.filter { $0.value == 1 }.keys.sorted()
        return (0..<widest).reversed().map { Label.ellipsis($0) } + once.map { Label.letter($0) }
    }
}
