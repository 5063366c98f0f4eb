internal import DCNGraph

extension PriorDetection {
    /// What is chosen of each image, in the form that is wanted.
    func tables(_ images: [[Hit]], _ size: Layout) -> [Tensor?] {
        func numbers(_ image: Int, _ hit: Hit) -> [Float] {
            let box = held(hit.box, clipsAfter || form == .ranked)
            let label = Float(takesBestClass ? hit.label - 1 : hit.label)
            return [Float(image), label, hit.score] + (0..<4).map { box[$0] }
        }
        switch form {
        case .listed:
            let rows = images.enumerated().flatMap { image, hits -> [ArraySlice<Float>] in
                hits.map { numbers(image, $0).dropFirst() }
            }
            return [Tensor(extents: [1, rows.count, 6], rows.flatMap { $0 })]
        case .ranked:
            let rows = images.enumerated().flatMap { image, hits -> [Float] in
                hits.flatMap { numbers(image, $0) }
                    + (hits.count..<keeps).flatMap { _ in [Float(image), -1, 0, 0, 0, 0, 0] }
            }
            let counts = images.map { Int32(clamping: $0.count) }
            return [
                Tensor(extents: [images.count, 1, keeps, 7], rows),
                Tensor(extents: [images.count, 1, 1, 1], counts),
            ]
        case .grouped:
            var rows = images.enumerated().flatMap { image, hits in hits.flatMap { numbers(image, $0) } }
            let count = images.count * room(size)
            if rows.count < count * 7 {
                rows += [-1] + [Float](repeating: 0, count: count * 7 - rows.count - 1)
            }
            return [Tensor(extents: [1, 1, count, 7], Array(rows.prefix(count * 7)))]
        }
    }
}
