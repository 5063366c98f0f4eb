/// Mean average precision by the rules of COCO.
///
/// Per class and picture, detections are taken by falling score (ties: as they come); each takes the free true box of
/// its class that it overlaps most (ties: the later one), if the overlap reaches the threshold. All pictures' detections
/// by falling score give precision over recall; precision is made non-increasing from the right and read at the recalls
/// 0, 0.01 … 1. True boxes outside the range of areas, and detections that match them or match none and lie outside
/// themselves, count neither way. Classes without a true box are left out.
package struct Evaluation: Sendable {
    /// What was found and what is there, by picture.
    private let pictures: [(found: [Detection], truth: [LabelledBox])]
    /// Detections of each class in each picture that count at most.
    private static let mostDetections = 100

    /// The ten thresholds of overlap: 0.5, 0.55 … 0.95, rounded as those of COCO's own program are.
    package static let thresholds: [Double] = {
        let step: Double = (0.95 - 0.5) / 9
        return (0..<10).map { (index: Int) -> Double in index == 9 ? 0.95 : Double(index) * step + 0.5 }
    }()

    /// Ranges of areas in square pixels.
    package enum Size: Sendable, CaseIterable {
        case all, small, medium, large

        var range: ClosedRange<Double> {
            switch self {
            case .all: 0...1e10
            case .small: 0...1024
            case .medium: 1024...9216
            case .large: 9216...1e10
            }
        }
    }

    /// An evaluation of pictures.
    package init(_ pictures: [(found: [Detection], truth: [LabelledBox])]) { self.pictures = pictures }

    /// The mean over classes and thresholds; nil when there is no true box of that size.
    package func meanPrecision(at thresholds: [Double] = Evaluation.thresholds, _ size: Size = .all)
        -> Double?
    {
        let labels = Set(pictures.flatMap { $0.truth.map(\.label) }).sorted()
        var sum = 0.0
        var count = 0
        for label in labels {
            for threshold in thresholds {
                guard let precision = precision(label, threshold, size) else { continue }
                sum += precision
                count += 1
            }
        }
        return count > 0 ? sum / Double(count) : nil
    }

    private func precision(_ label: Int, _ threshold: Double, _ size: Size) -> Double? {
        var scored: [(score: Double, isHit: Bool)] = []
        var truths = 0
        for picture in pictures {
            let matches = Matches(
                found: picture.found.filter { $0.label == label },
                truth: picture.truth.filter { $0.label == label },
                threshold: threshold, range: size.range, most: Self.mostDetections)
            truths += matches.truths
            scored += matches.scored
        }
        guard truths > 0 else { return nil }
        let order = scored.indices.sorted { (scored[$1].score, $0) < (scored[$0].score, $1) }
        return area(order.map { scored[$0].isHit }, truths: truths)
    }

    /// The mean of the precision read at 101 recalls.
    private func area(_ hits: [Bool], truths: Int) -> Double {
        var (recalls, precisions) = ([Double](), [Double]())
        var found = 0
        for (index, isHit) in hits.enumerated() {
            if isHit { found += 1 }
            recalls.append(Double(found) / Double(truths))
            // The tiny number is the one that COCO's own program adds.
            precisions.append(Double(found) / (Double(index + 1) + 0x1p-52))
        }
        for index in precisions.indices.dropLast().reversed() {
            precisions[index] = max(precisions[index], precisions[index + 1])
        }
        var (sum, place) = (0.0, 0)
        for step in 0...100 {
            // Not step / 100, which is rounded otherwise.
            let recall = step == 100 ? 1 : Double(step) * 0.01
            while place < recalls.count, recalls[place] < recall { place += 1 }
            if place < recalls.count { sum += precisions[place] }
        }
        return sum / 101
    }
}

/// A true box and its class.
package struct LabelledBox: Sendable, Hashable {
    package var box: Box
    package var label: Int

    /// A box of a class.
    package init(box: Box, label: Int) {
        self.box = box
        self.label = label
    }
}

/// Detections of one class in one picture, each with whether it found a true box; ignored ones are left out.
private struct Matches {
    var scored: [(score: Double, isHit: Bool)] = []
    var truths = 0

    init(found: [Detection], truth: [LabelledBox], threshold: Double, range: ClosedRange<Double>, most: Int) {
        let order = found.indices.sorted { (found[$1].score, $0) < (found[$0].score, $1) }.prefix(most)
        // Those that count come first, the others may only take what no counted one wants.
        let counted = truth.filter { range.contains($0.box.area) }
        let ignored = truth.filter { !range.contains($0.box.area) }
        let boxes = (counted + ignored).map(\.box)
        truths = counted.count
        var isFree = [Bool](repeating: true, count: boxes.count)
        for index in order {
            let detection = found[index]
            var (best, chosen) = (min(threshold, 1 - 1e-10), Int?.none)
            for (place, box) in boxes.enumerated() where isFree[place] {
                if let chosen, chosen < truths, place >= truths { break }
                let overlap = detection.box.overlap(box)
                if overlap >= best { (best, chosen) = (overlap, place) }
            }
            if let chosen {
                isFree[chosen] = false
                if chosen < truths { scored.append((detection.score, true)) }
            } else if range.contains(detection.box.area) {
                scored.append((detection.score, false))
            }
        }
    }
}
