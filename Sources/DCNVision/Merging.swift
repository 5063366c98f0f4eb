/// Makes one detection of those that mean the same thing: same class, boxes that overlap.
///
/// The surest one begins a group; its box becomes the mean of all boxes that overlap it by `overlap` or more, weighed by
/// their scores, and that again for the new box until the group stays the same. The score is the greatest one's.
///
///     box = Σ score · box / Σ score
package func merged(_ detections: [Detection], overlap: Double) -> [Detection] {
    var rest = detections.indices.sorted { (detections[$1].score, $0) < (detections[$0].score, $1) }
        .map { detections[$0] }
    var result: [Detection] = []
    while let surest = rest.first {
        var group = [0]
        var box = surest.box
        for _ in 0..<mostRounds {
            // The surest one stays, wherever the mean has gone.
            let wider = rest.indices.filter {
                $0 == 0 || rest[$0].label == surest.label && rest[$0].box.overlap(box) >= overlap
            }
            box = mean(wider.map { rest[$0] }) ?? surest.box
            if wider == group { break }
            group = wider
        }
        result.append(Detection(box: box, score: surest.score, label: surest.label))
        let taken = Set(group)
        rest = rest.indices.filter { !taken.contains($0) }.map { rest[$0] }
    }
    return result
}

/// Groups that go back and forth end somewhere.
private let mostRounds = 16

/// The mean box, weighed by scores; nil when nothing weighs.
private func mean(_ detections: [Detection]) -> Box? {
    let weight = detections.reduce(0) { $0 + max(0, $1.score) }
    guard weight > 0, weight.isFinite else { return nil }
    func average(_ edge: (Box) -> Double) -> Double {
        detections.reduce(0) { $0 + max(0, $1.score) * edge($1.box) } / weight
    }
    return Box(average(\.left), average(\.top), average(\.right), average(\.bottom))
}
