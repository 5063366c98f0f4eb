internal import DCNGraph
internal import DCNOperators

extension Term {
    /// How far upright boxes [B, N, 4] overlap each other: [B, N, N]. `plus` is added to extents.
    func overlaps(plus: Double, epsilon: Double = 0) throws(DCNError) -> Term {
        func edge(_ index: Int, _ axis: Int) throws(DCNError) -> Term {
            try slice(2, from: index, to: index + 1).reshape(axis == 1 ? [0, -1, 1] : [0, 1, -1])
        }
        func shared(_ index: Int) throws(DCNError) -> Term {
            let low = try edge(index, 1).atLeast(edge(index, 2))
            let high = try edge(index + 2, 1).atMost(edge(index + 2, 2))
            return try (high - low + plus).atLeast(0)
        }
        func area(_ axis: Int) throws(DCNError) -> Term {
            let width = try edge(2, axis) - edge(0, axis) + plus
            return try width * (edge(3, axis) - edge(1, axis) + plus)
        }
        let common = try shared(0) * shared(1)
        return try common / (area(1) + area(2) - common + epsilon)
    }
}

extension SoftSuppression: Lowerable {
    /// One box in each trip of a loop; of equal scores the first.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let boxes = inputs[0], let scores = inputs[1] else { return nil }
        let overlaps = try boxes.unsqueezed(0).overlaps(plus: Double(plus)).squeezed(0)
        let factors = try self.factors(overlaps)
        let alive = try scores .>= scores
        let numbers = try sketch.range(scores.size(0))
        let results = try sketch.loop(
            trips: scores.size(0), carried: [scores, alive.cast(.int32)],
            captured: [boxes, factors, numbers], stacked: 2
        ) { (sketch, _, values) throws(DCNError) in
            let (scores, alive) = (values[0], try values[1].cast(.bool))
            let open = try alive.choosing(scores, or: -.infinity)
            let best = try open.applying(ArgExtreme(least: false, axis: 0, keepsDimensions: true))
            let (box, score) = (try values[2].gather(best), try scores.gather(best))
            let lower = try scores * values[3].gather(best).squeezed(0)
            let isOther = try (values[4] .== best).negated
            let stays = try alive .& isOther .& (lower .>= Double(leastScore))
            let next = try (alive .& isOther).choosing(lower, scores)
            let goesOn = try stays.cast(.int32).reduced(.maximum, [0]).cast(.bool)
            let row = try Term.joined([box.reshape([4]), score], axis: 0)
            return [goesOn, next, try stays.cast(.int32), row, try best.squeezed(0)]
        }
        return Array(results[2...].prefix(outputs))
    }

    private func factors(_ overlaps: Term) throws(DCNError) -> Term {
        switch method {
        case .naive: try (overlaps .< Double(threshold)).cast(.float32)
        case .linear: try (overlaps .< Double(threshold)).choosing(overlaps * 0 + 1, 1 - overlaps)
        case .gaussian: try (overlaps * overlaps * -1 / Double(sigma)).applying(Exp())
        }
    }
}
