package import DCNGraph

/// How often each n-gram of a pool stands in a row of words, skipping up to a number of words between its members.
///
/// Operands: x [C] or [N, C]; the pool of n-grams one after the other, short ones first; where each length begins in it;
/// the output coordinate of each n-gram; and its weight.
package struct TfIdfVectorizer: Operator {
    package static let name = "TfIdfVectorizer"
    /// What is counted.
    package enum Mode: String, Sendable, Hashable, Codable {
        case count = "TF", presence = "IDF", weighted = "TFIDF"
    }
    package var mode: Mode
    package var lengths: ClosedRange<Int>
    package var mostSkipped: Int
    package init(mode: Mode, lengths: ClosedRange<Int>, mostSkipped: Int) {
        self.mode = mode
        self.lengths = lengths
        self.mostSkipped = mostSkipped
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        let pool = try inputs.required(1, "pool")
        try x.expect([.string, .int32, .int64])
        try pool.expect([x.element == .string ? .string : .int64])
        guard lengths.lowerBound >= 1, mostSkipped >= 0 else {
            throw .attribute("min_gram_length", because: "is \(lengths.lowerBound), expected at least 1")
        }
        let coordinates = try inputs.required(3, "ngram_indexes").integers
        if let bad = coordinates?.first(where: { $0 < 0 || $0 > 1 << 28 }) {
            throw .attribute("ngram_indexes", because: "holds \(bad), expected 0 … \(1 << 28)")
        }
        let width = coordinates.map { Dimension.fixed(($0.max() ?? -1) + 1) } ?? .unknown
        guard let rank = x.rank else { return [.tensor(TensorType(.float32, nil))] }
        guard rank == 1 || rank == 2 else { throw .rank(of: "X", expected: "1 or 2", got: rank) }
        return [.tensor(TensorType(.float32, Shape((rank == 2 ? [x.dimension(0)] : []) + [width])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                let tensors = inputs.compactMap { $0?.tensor?.aligned() }
                guard tensors.count == 5, let starts = tensors[2].integers,
                    let coordinates = tensors[3].integers
                else {
                    throw .missing("an operand")
                }
                let x = tensors[0]
                let grams = try dictionary(words(tensors[1]), starts, coordinates.count)
                let width = (coordinates.max() ?? -1) + 1
                let rows = x.extents.count == 2 ? x.extents[0] : 1
                let columns = x.extents.last ?? 0
                let output = try scope.allocate(
                    TensorType(.float32, extents: (x.extents.count == 2 ? [rows] : []) + [width]))
                let y = output.elements(as: Float.self)
                y.update(repeating: 0)
                let all = words(x)
                let weights = tensors[4].elements(as: Float.self)
                for row in 0..<rows {
                    try scope.checkpoint()
                    let counts = counted(Array(all[row * columns..<(row + 1) * columns]), grams)
                    for (gram, count) in counts {
                        y[row * width + coordinates[gram]] = value(count, weights.isEmpty ? 1 : weights[gram])
                    }
                }
                return [.tensor(output.finished)]
            })
    }

    private func value(_ count: Int, _ weight: Float) -> Float {
        switch mode {
        case .count: Float(count)
        case .presence: weight
        case .weighted: Float(count) * weight
        }
    }

    /// N-grams by their words, in the order of the pool.
    private func dictionary(_ pool: [[UInt8]], _ starts: [Int], _ count: Int) throws(Misfit) -> [[[UInt8]]:
        Int]
    {
        var grams: [[[UInt8]]: Int] = [:]
        var index = 0
        for (order, start) in starts.enumerated() {
            let end = order + 1 < starts.count ? starts[order + 1] : pool.count
            guard start >= 0, start <= end, end <= pool.count, (end - start) % (order + 1) == 0 else {
                throw .attribute(
                    "ngram_counts", because: "is \(starts), which does not cut the pool of \(pool.count)")
            }
            for place in stride(from: start, to: end, by: order + 1) {
                if lengths.contains(order + 1) { grams[Array(pool[place..<place + order + 1])] = index }
                index += 1
            }
        }
        guard index == count else {
            throw .attribute("ngram_indexes", because: "has \(count) entries, the pool has \(index) n-grams")
        }
        return grams
    }

    private func counted(_ row: [[UInt8]], _ grams: [[[UInt8]]: Int]) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        let longest = grams.keys.map(\.count).max() ?? 0
        let end = min(longest, row.count, lengths.upperBound)
        guard lengths.lowerBound <= end else { return [:] }
        for length in lengths.lowerBound...end {
            // A single word has nothing to skip.
            for skip in 0...(length == 1 ? 0 : min(mostSkipped, row.count)) {
                let reach = (length - 1) * (skip + 1)
                guard reach < row.count else { break }
                for start in 0..<row.count - reach {
                    let gram = stride(from: start, through: start + reach, by: skip + 1).map { row[$0] }
                    if let index = grams[gram] { counts[index, default: 0] += 1 }
                }
            }
        }
        return counts
    }

    private func words(_ tensor: Tensor) -> [[UInt8]] {
        if tensor.type.element == .string { return tensor.strings.map(\.bytes) }
        return (tensor.integers ?? []).map { value in withUnsafeBytes(of: Int64(value)) { Array($0) } }
    }
}

/// The standard's spelling: the pool and what belongs to it are attributes.
func tfIdfVectorizer(_ node: SourceNode) throws(Misfit) -> Meaning {
    let written = try node.string("mode", default: "TF")
    guard let mode = TfIdfVectorizer.Mode(rawValue: written) else {
        throw .attribute("mode", because: "is '\(escaped(written))', expected TF, IDF or TFIDF")
    }
    let (least, most) = (try node.int("min_gram_length"), try node.int("max_gram_length"))
    guard least >= 1, most >= least else {
        throw .attribute(
            "max_gram_length", because: "is \(most), expected at least min_gram_length, \(least)")
    }
    let strings = try node.optionalStrings("pool_strings")
    let integers = try node.optionalInts("pool_int64s")
    let pool =
        strings.flatMap { Tensor(extents: [$0.count], strings: $0) }
        ?? Tensor(vector: (integers ?? []).map { Int64($0) })
    func vector(_ name: String) throws(Misfit) -> Tensor {
        Tensor(vector: try node.ints(name, default: []).map { Int64($0) })
    }
    let weights = try node.optionalFloats("weights") ?? []
    let coordinates = try vector("ngram_indexes")
    guard weights.isEmpty || weights.count == coordinates.count else {
        throw .attribute("weights", because: "has \(weights.count) entries, expected \(coordinates.count)")
    }
    let op = TfIdfVectorizer(mode: mode, lengths: least...most, mostSkipped: try node.int("max_skip_count"))
    return Meaning(
        op, order: [0], extra: [pool, try vector("ngram_counts"), coordinates, Tensor(vector: weights)])
}
