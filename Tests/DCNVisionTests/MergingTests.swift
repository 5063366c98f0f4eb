import DCNVision
import Testing

@Suite("Merged detections")
struct MergingTests {
    private let box = Box(0, 0, 40, 40)

    @Test("one alone stays as it is, none stay none")
    func alone() {
        let one = Detection(box: box, score: 0.5, label: 1)
        #expect(merged([one], overlap: 0.5) == [one])
        #expect(merged([], overlap: 0.5).isEmpty)
    }

    @Test("two of a class become their mean, weighed by score")
    func mean() {
        let found = merged(
            [
                Detection(box: Box(4, 0, 44, 40), score: 0.3, label: 1),
                Detection(box: box, score: 0.9, label: 1),
            ],
            overlap: 0.5)
        #expect(found.count == 1 && found.first?.score == 0.9)
        #expect(abs((found.first?.box.left ?? -1) - 1) < 1e-12)
    }

    @Test("other classes and boxes apart stay, surest first")
    func apart() {
        let all = [
            Detection(box: box, score: 0.2, label: 1), Detection(box: box, score: 0.8, label: 2),
            Detection(box: Box(100, 0, 140, 40), score: 0.5, label: 1),
        ]
        #expect(merged(all, overlap: 0.5).map(\.score) == [0.8, 0.5, 0.2])
    }

    @Test("scores and boxes of no number end all the same")
    func hostile() {
        let odd = Detection(box: Box(.nan, 0, .infinity, 1), score: .nan, label: 0)
        #expect(merged([odd, odd, odd], overlap: 0).count <= 3)
    }
}
