import DCN
import DCNCommandLine
import DCNFiles
import DCNVision

extension EvalCommand {
    /// Measures a segmenter; whether every gate is reached.
    func measure(_ pictures: [SegmentedPicture]) throws -> Bool {
        let least = try gates.map(leastOverlap)
        guard options.scales == nil, options.merge == nil else {
            throw UsageMistake("--scales and --merge are for detectors")
        }
        var segmenter = try Segmenter(file, options, running)
        var overlaps = ClassOverlaps()
        for entry in pictures {
            let picture = try Picture(contentsOf: "\(folder)/\(entry.name)")
            let path = "\(folder)/\(entry.classes)"
            let truth = try Picture(contentsOf: path)
            guard truth.width == picture.width, truth.height == picture.height else {
                throw inputError(path, "is \(truth.width) × \(truth.height), its picture has another size")
            }
            guard let levels = truth.levels else { throw inputError(path, "is not grey") }
            overlaps.add(try segmenter.classes(in: picture), levels, ignoring: ignore)
        }
        try list(overlaps, count: pictures.count)
        guard let missed = least.first(where: { (overlaps.mean ?? -1) < $0 }) else { return true }
        Console.note("mIoU is \(overlaps.mean.map { fixed($0, 6) } ?? "none"), expected at least \(missed)")
        return false
    }

    private func leastOverlap(_ gate: String) throws(UsageMistake) -> Double {
        guard gate.hasPrefix("mIoU="), let least = Double(gate.dropFirst(5)) else {
            throw UsageMistake(
                "--at-least '\(escaped(gate))' is not of the form mIoU=VALUE, as maps of classes need")
        }
        return least
    }

    private func list(_ overlaps: ClassOverlaps, count: Int) throws {
        if json {
            let each = overlaps.each.map { ("\($0.label)", Json.number($0.overlap)) }
            let mean = overlaps.mean.map(Json.number) ?? .null
            try Console.print(
                Json.object([("pictures", .int(count)), ("mIoU", mean), ("IoU", .object(each))]).text)
            return
        }
        let each = overlaps.each.map { ["IoU of class \($0.label)", fixed($0.overlap, 6)] }
        let mean = ["mIoU", overlaps.mean.map { fixed($0, 6) } ?? "none"]
        for line in table([["pictures", "\(count)"], mean] + each, right: [1]) { try Console.print(line) }
    }
}

/// A segmenter with a session.
struct Segmenter: ~Copyable {
    private var session: Session
    private let form: SegmenterForm
    private let pictureForm: PictureForm
    private let input: (name: String, type: ValueType)
    private let deadline: Int?

    init(_ file: ModelArguments, _ options: PictureOptions, _ running: RunArguments) throws {
        let pictureForm = try options.form()
        let deadline = try running.limits.deadline()
        let model = try running.limits.load(file)
        let form = try SegmenterForm(model.outputs, of: file.model)
        guard let input = model.inputs.first, model.inputs.count == 1 else {
            throw DCNError(
                .model, .run, "has \(model.inputs.count) inputs, expected one picture",
                at: Origin(file: file.model, path: ""))
        }
        session = try Session(model, options: running.options())
        (self.pictureForm, self.deadline, self.form, self.input) = (pictureForm, deadline, form, input)
    }

    /// The class of each pixel, row by row.
    mutating func classes(in picture: Picture) throws(DCNError) -> [Int] {
        let (tensor, placement) = try DCNFiles.tensor(
            of: picture, as: input.type, pictureForm, named: input.name)
        let answer: [String: Tensor] = try session.run([input.name: tensor], deadline: deadline)
        let spatial = Array(tensor.extents.suffix(3))
        let extents = spatial[0] == 3 ? Array(spatial[1...]) : Array(spatial[..<2])
        return try form.classes(
            in: answer, height: picture.height, width: picture.width, input: extents, placement)
    }
}
