import DCNFiles
import DCNVision
import Testing

@Suite("Mean average precision")
struct AveragePrecisionTests {
    private let box = Box(0, 0, 40, 40)

    @Test("everything found is 1, nothing found is 0, nothing there is no number")
    func ends() {
        let truth = [LabelledBox(box: box, label: 3)]
        let found = Detection(box: box, score: 0.9, label: 3)
        #expect(abs((Evaluation([([found], truth)]).meanPrecision() ?? 0) - 1) < 1e-12)
        #expect(Evaluation([([], truth)]).meanPrecision() == 0)
        #expect(Evaluation([([found], [])]).meanPrecision() == nil)
        #expect(Evaluation([([Detection(box: box, score: 1, label: 2)], truth)]).meanPrecision() == 0)
    }

    @Test("a wrong box before the right one halves the precision, one after it does not matter")
    func order() {
        let truth = [LabelledBox(box: box, label: 0)]
        let right = Detection(box: box, score: 0.5, label: 0)
        func precision(_ score: Double) -> Double {
            Evaluation([([right, Detection(box: Box(90, 90, 99, 99), score: score, label: 0)], truth)])
                .meanPrecision(at: [0.5]) ?? -1
        }
        #expect(abs(precision(0.9) - 0.5) < 1e-12)
        #expect(abs(precision(0.1) - 1) < 1e-12)
    }

    @Test("one of two true boxes found: precision 1 up to recall 0.5")
    func half() {
        let truth = [LabelledBox(box: box, label: 0), LabelledBox(box: Box(50, 50, 70, 70), label: 0)]
        let got =
            Evaluation([([Detection(box: box, score: 0.9, label: 0)], truth)]).meanPrecision(at: [0.5]) ?? -1
        #expect(abs(got - 51.0 / 101) < 1e-12)
    }

    @Test("thresholds count by overlap", arguments: [(0.5, 1.0), (0.55, 1.0), (0.65, 0.0)])
    func overlap(threshold: Double, expected: Double) {
        // 40 × 40 against 40 × 24: overlap 0.6.
        let found = Detection(box: Box(0, 0, 40, 24), score: 1, label: 0)
        let got =
            Evaluation([([found], [LabelledBox(box: box, label: 0)])]).meanPrecision(at: [threshold]) ?? -1
        #expect(abs(got - expected) < 1e-12)
    }

    @Test("sizes leave others out, neither way")
    func sizes() {
        let large = Box(0, 0, 200, 200)
        let truth = [LabelledBox(box: box, label: 0), LabelledBox(box: large, label: 0)]
        let found = [Detection(box: large, score: 0.9, label: 0), Detection(box: box, score: 0.8, label: 0)]
        let evaluation = Evaluation([(found, truth)])
        #expect(abs((evaluation.meanPrecision(.large) ?? 0) - 1) < 1e-12)
        #expect(abs((evaluation.meanPrecision(.medium) ?? 0) - 1) < 1e-12)
        #expect(evaluation.meanPrecision(.small) == nil)
    }

    @Test("mean overlap of class maps: sums over pictures, then quotients, then the mean over classes")
    func meanOverlaps() {
        var overlaps = ClassOverlaps()
        #expect(overlaps.mean == nil)
        overlaps.add([0, 0, 1, 1], [0, 1, 1, 1])
        #expect(overlaps.mean == (0.5 + 2.0 / 3) / 2)
        overlaps.add([0, 5], [0, 255], ignoring: 255)
        #expect(overlaps.each.map(\.label) == [0, 1])
        #expect(overlaps.each.map(\.overlap) == [2.0 / 3, 2.0 / 3])
        overlaps.add([7], [8])
        #expect(overlaps.mean == (2.0 / 3 + 2.0 / 3) / 4)
    }
}

@Suite("Drawing")
struct DrawingTests {
    @Test("boxes outside, inside out or of no number draw nothing outside")
    func safe() {
        for box in [
            Box(-50, -50, 500, 500), Box(9, 9, 1, 1), Box(.nan, 0, 1, 1), Box(0, 0, .infinity, 5),
            Box(-9, -9, -1, -1),
        ] {
            let found = Detection(box: box, score: .nan, label: -7)
            let drawn = drawing([found], on: Picture(width: 20, height: 10))
            #expect(drawn.rgb.count == 600)
        }
    }

    @Test("an outline has the class's colour and leaves the middle alone")
    func outline() {
        var picture = Picture(width: 20, height: 20)
        picture.draw(Box(2, 2, 17, 17), .of(label: 1))
        func pixel(_ x: Int, _ y: Int) -> [UInt8] {
            Array(picture.rgb[3 * (20 * y + x)..<3 * (20 * y + x) + 3])
        }
        #expect(
            pixel(2, 10) == [60, 180, 75] && pixel(17, 17) == [60, 180, 75] && pixel(10, 10) == [0, 0, 0])
        #expect(pixel(1, 10) == [0, 0, 0])
    }
}
