/// Mean intersection over union of two maps of classes, over the classes that either of them holds.
///
///     mIoU = mean over c of |got = c and true = c| / |got = c or true = c|
///
/// Places whose true class is `ignored` do not count. Nil when nothing counts.
package func meanOverlap(_ got: [Int], _ truth: [Int], ignoring ignored: Int? = nil) -> Double? {
    var both: [Int: Int] = [:]
    var either: [Int: Int] = [:]
    for (got, truth) in zip(got, truth) where truth != ignored {
        either[got, default: 0] += 1
        if got == truth { both[got, default: 0] += 1 } else { either[truth, default: 0] += 1 }
    }
    guard !either.isEmpty else { return nil }
    let sum = either.reduce(0.0) { $0 + Double(both[$1.key] ?? 0) / Double($1.value) }
    return sum / Double(either.count)
}
