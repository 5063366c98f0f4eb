package import DCNGraph

/// Two strings one after the other, shapes broadcast.
package struct StringConcat: Operator {
    package static let name = "StringConcat"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "X")
        let b = try inputs.required(1, "Y")
        try a.expect([.string])
        try b.expect([.string])
        return [.tensor(TensorType(.string, try broadcastShape([a, b])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                let (a, b, type) = try stringPair(values, giving: self)
                var result = [ByteString](repeating: ByteString([]), count: type.elementCount ?? 0)
                try forEachIndex([a.type, b.type], type) {
                    result[$0[3]] = ByteString(a.strings[$0[0]].bytes + b.strings[$0[1]].bytes)
                }
                return [Tensor(extents: type.extents ?? [], strings: result).map(Datum.tensor)]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 20)
    }
}

/// Strings without stop words, their letters made small or great.
///
/// Operands: x of shape [C] or [1, C], and the stop words. If nothing is left, one empty string is.
package struct StringNormalizer: Operator {
    package static let name = "StringNormalizer"
    /// What happens to letters.
    package enum Letters: String, Sendable, Hashable, Codable {
        case none = "NONE", lower = "LOWER", upper = "UPPER"
    }
    /// What happens to letters.
    package var letters: Letters
    /// Whether stop words are told apart by the case of their letters.
    package var isCaseSensitive: Bool
    package init(letters: Letters = .none, isCaseSensitive: Bool = false) {
        self.letters = letters
        self.isCaseSensitive = isCaseSensitive
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.string])
        try inputs.optional(1, "stopwords")?.expect([.string])
        guard let rank = x.rank else { return [.tensor(TensorType(.string, nil))] }
        guard rank == 1 || rank == 2 else { throw .rank(of: "X", expected: "1 or 2", got: rank) }
        if rank == 2 { try x.expect(1, along: 0, because: "one row of words") }
        return [.tensor(TensorType(.string, Shape((rank == 2 ? [1] : []) + [Dimension.unknown])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                guard let x = values.first??.tensor else { throw .missing("X") }
                guard x.extents.count == 1 || (x.extents.count == 2 && x.extents[0] == 1) else {
                    throw .kind(of: "X", expected: "a row of words", got: "\(x.type)")
                }
                let stops = values.count > 1 ? values[1]?.tensor?.strings ?? [] : []
                let unwanted = Set(stops.map(folded))
                var kept = x.strings.filter { !unwanted.contains(folded($0)) }.map(cased)
                if kept.isEmpty { kept = [ByteString([])] }
                let extents = (x.extents.count == 2 ? [1] : []) + [kept.count]
                return [Tensor(extents: extents, strings: kept).map(Datum.tensor)]
            })
    }

    private func folded(_ word: ByteString) -> ByteString {
        isCaseSensitive ? word : ByteString(word.text.lowercased())
    }

    private func cased(_ word: ByteString) -> ByteString {
        switch letters {
        case .none: word
        case .lower: ByteString(word.text.lowercased())
        case .upper: ByteString(word.text.uppercased())
        }
    }
}

/// Each string cut at a delimiter, or at runs of white space where that is empty; short rows are filled with empty
/// strings. The second result counts the pieces.
package struct StringSplit: Operator {
    package static let name = "StringSplit"
    /// Where strings are cut; empty: at white space.
    package var delimiter: String
    /// How many cuts are made at most, from the left.
    package var limit: Int?
    package init(delimiter: String = "", limit: Int? = nil) {
        self.delimiter = delimiter
        self.limit = limit
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.string])
        let pieces = x.shape.map { Shape($0.dimensions + [.unknown]) }
        return [.tensor(TensorType(.string, pieces)), .tensor(TensorType(.int64, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                guard let x = values.first??.tensor else { throw .missing("X") }
                let rows = x.strings.map { pieces(of: $0.bytes) }
                let width = rows.map(\.count).max() ?? 0
                let (count, overflow) = width.multipliedReportingOverflow(by: rows.count)
                guard !overflow, count <= 1 << 28 else {
                    throw .limit(
                        of: "the number of pieces", asked: overflow ? Int.max : count, limit: 1 << 28)
                }
                let filled = rows.flatMap { row in
                    row.map { ByteString($0) } + Array(repeating: ByteString([]), count: width - row.count)
                }
                return [
                    Tensor(extents: x.extents + [width], strings: filled).map(Datum.tensor),
                    Tensor(extents: x.extents, rows.map { Int64($0.count) }).map(Datum.tensor),
                ]
            })
    }

    private func pieces(of bytes: [UInt8]) -> [[UInt8]] {
        let limit = limit.map { max(0, $0) } ?? Int.max
        return delimiter.isEmpty ? words(bytes, limit) : parts(bytes, Array(delimiter.utf8), limit)
    }

    private func words(_ bytes: [UInt8], _ limit: Int) -> [[UInt8]] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        var words: [[UInt8]] = []
        var rest = bytes.drop(while: isSpace)
        while let end = rest.firstIndex(where: isSpace), words.count < limit {
            words.append(Array(rest[..<end]))
            rest = rest[end...].drop(while: isSpace)
        }
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest.isEmpty ? words : words + [Array(rest)]
    }

    private func parts(_ bytes: [UInt8], _ delimiter: [UInt8], _ limit: Int) -> [[UInt8]] {
        guard !bytes.isEmpty else { return [] }
        var parts: [[UInt8]] = []
        var start = 0
        var index = 0
        while index + delimiter.count <= bytes.count, parts.count < limit {
            if bytes[index..<index + delimiter.count].elementsEqual(delimiter) {
                parts.append(Array(bytes[start..<index]))
                index += delimiter.count
                start = index
            } else {
                index += 1
            }
        }
        return parts + [Array(bytes[start...])]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("delimiter", .string(ByteString(delimiter)))
        ]
        if let limit { attributes.append(("maxsplit", .int(limit))) }
        return WrittenNode(Self.name, attributes, since: 20)
    }
}
