internal import DCNGraph

extension PriorDetection {
    /// The scores of one image, class within prior; those of priors without object are those of the background.
    func marks(_ image: Int, _ size: Layout, _ scores: [Float], _ first: [Float]?) -> [Float] {
        let start = image * size.priors * size.classes
        return (0..<size.priors * size.classes).map { place in
            let (prior, label) = (place / size.classes, place % size.classes)
            if let first, first[(image * size.priors + prior) * 2 + 1] < leastObject {
                return label == background ? 1 : 0
            }
            let score = scores[start + place]
            return hasLogits ? 1 / (1 + exponential(-score)) : score
        }
    }

    func chosen(
        _ boxes: [SIMD4<Float>], _ marks: [Float], _ size: Layout, _ scope: any Scope
    ) throws(Misfit) -> [Hit] {
        var hits: [Hit] = []
        var able = (0..<size.classes).map { label in
            label == background
                ? [] : (0..<size.priors).filter { marks[$0 * size.classes + label] > leastScore }
        }
        if takesBestClass { able = bestClasses(marks, size) }
        for (label, priors) in able.enumerated() {
            var order = descending(priors) { marks[$0 * size.classes + label] }
            if best >= 0, !takesBestClass { order = Array(order.prefix(best)) }
            var edges = EdgeBoxes(plus: Float(plus))
            let own = order.map { boxes[$0 * size.sets + (size.sets > 1 ? label : 0)] }
            for box in own { edges.append(box) }
            try scope.checkpoint()
            for place in suppress(Array(order.indices), edges, threshold: threshold, ignoresApart: true) {
                hits.append(
                    Hit(score: marks[order[place] * size.classes + label], label: label, box: own[place]))
            }
        }
        guard form != .grouped || keeps >= 0 && hits.count > keeps else { return hits }
        let ranked = descending(hits.indices) { hits[$0].score }
        let kept = keeps >= 0 ? Array(ranked.prefix(keeps)) : ranked
        return (form == .grouped ? kept.sorted() : kept).map { hits[$0] }
    }

    /// The priors of each class: those that it is the best of, and among the first of all.
    private func bestClasses(_ marks: [Float], _ size: Layout) -> [[Int]] {
        var found: [(prior: Int, label: Int, score: Float)] = []
        for prior in 0..<size.priors {
            var (label, score) = (0, Float(-1))
            for other in 1..<max(1, size.classes)
            where other != background && marks[prior * size.classes + other] > score {
                (label, score) = (other, marks[prior * size.classes + other])
            }
            if label > 0, score >= leastScore { found.append((prior, label, score)) }
        }
        let order = descending(found.indices) { found[$0].score }
        var priors = [[Int]](repeating: [], count: size.classes)
        for place in best >= 0 ? order.prefix(best) : order[...] {
            priors[found[place].label].append(found[place].prior)
        }
        return priors
    }
}
