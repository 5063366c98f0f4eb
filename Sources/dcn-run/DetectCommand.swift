import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNVision

/// Finds things in pictures.
struct DetectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect", abstract: "Find things in pictures, and draw boxes round them.",
        usage: "dcn-run detect MODEL PICTURE … [-o DIR] [OPTIONS]",
        discussion: """
            Example:
              dcn-run detect detector.onnx street.jpg beach.png -o found

            The model takes one picture and gives boxes (left, top, right, bottom in pixels), scores and labels. Prints
            what was found; DIR gets NAME.json and NAME.png with boxes for each picture.
            """)

    @OptionGroup var file: ModelArguments

    @Argument(help: "PNG or JPEG files.", completion: .file())
    var pictures: [String]

    @OptionGroup var options: PictureOptions

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Folder for what was found.", valueName: "DIR"))
    var out: String?

    @Option(help: "Leave out what the model is less sure of.")
    var threshold = 0.3

    @Option(help: ArgumentHelp("Names of the classes, with commas between.", valueName: "A,B,…"))
    var names: String?

    @Option(help: "Draw on the picture made this many times as large.")
    var enlarge = 1

    @Flag(help: "Results as JSON on standard output, errors as JSON on standard error.")
    var json = false

    @Flag(help: "Print results only.")
    var quiet = false

    @OptionGroup var running: RunArguments

    func run() throws {
        try perform(isJson: json) {
            guard (1...16).contains(enlarge) else { throw badEnlargement(enlarge) }
            var detector = try Detector(file, options, running)
            if let out { try makeFolder(out) }
            for path in pictures { try show(path, &detector) }
            return true
        }
    }

    private func show(_ path: String, _ detector: inout Detector) throws {
        let picture = try Picture(contentsOf: path)
        try checkEnlargement(enlarge, of: picture)
        let found = try detector.detections(in: picture).filter { $0.score >= threshold }
        let names = names?.split(separator: ",").map(String.init) ?? []
        let object = Json.object([
            ("picture", .string(path)), ("width", .int(picture.width)), ("height", .int(picture.height)),
            ("detections", .array(found.map(\.json))),
        ])
        if json { try Console.print(object.text) } else { try list(found, path, names) }
        guard let out else { return }
        let base = path.split(separator: "/").last.map(String.init) ?? path
        let stem = base.lastIndex(of: ".").map { String(base[..<$0]) } ?? base
        try writeFile("\(out)/\(stem).json", object.text + "\n")
        let canvas = resized(picture, width: picture.width * enlarge, height: picture.height * enlarge)
        let drawn = drawing(found.map { $0.scaled(by: Double(enlarge)) }, on: canvas, names: names)
        try drawn.writePng("\(out)/\(stem).png")
        if !quiet { Console.note("wrote \(escaped(out))/\(escaped(stem)).json and .png") }
    }

    private func list(_ found: [Detection], _ path: String, _ names: [String]) throws {
        try Console.print("\(escaped(path)): \(found.count) found")
        let rows = found.map { detection -> [String] in
            let name = names.indices.contains(detection.label) ? names[detection.label] : "\(detection.label)"
            let box = detection.box
            return ["  " + name, fixed(detection.score, 3)]
                + [box.left, box.top, box.right, box.bottom].map { fixed($0, 1) }
        }
        for line in table(rows, right: [1, 2, 3, 4, 5]) { try Console.print(line) }
    }
}

/// Throws when a picture made so many times as large could not be held.
func checkEnlargement(_ times: Int, of picture: Picture) throws(UsageMistake) {
    guard (1...16).contains(times) else { throw badEnlargement(times) }
    guard picture.width * picture.height * times * times <= Picture.mostPixels else {
        throw UsageMistake("--enlarge \(times) makes a picture of more than \(Picture.mostPixels) pixels")
    }
}

private func badEnlargement(_ times: Int) -> UsageMistake {
    UsageMistake("--enlarge is \(times), expected 1 … 16")
}

/// How pictures go in.
struct PictureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Taken away from each channel after scaling to 0…1.", valueName: "R,G,B"))
    var mean: String?

    @Option(help: ArgumentHelp("What each channel is divided by then.", valueName: "R,G,B"))
    var std: String?

    @Flag(help: "Blue first.")
    var bgr = false

    @Option(help: "How pictures of another size are made to fit: stretch or letterbox (default: letterbox).")
    var fit: PictureForm.Fit = .letterbox

    @Option(help: ArgumentHelp("Look at the picture in these sizes too, and merge.", valueName: "0.75,1,1.5"))
    var scales: String?

    @Option(
        help: ArgumentHelp(
            "Average boxes of a class that overlap so much (default with --scales: 0.5).",
            valueName: "OVERLAP"))
    var merge: Double?

    /// Sizes to look at, and the overlap from which boxes are averaged; nil leaves them as they are.
    func looks() throws(UsageMistake) -> (scales: [Double], merge: Double?) {
        if let merge, !(merge > 0 && merge <= 1) {
            throw UsageMistake("--merge is \(merge), expected more than 0, at most 1")
        }
        guard let scales else { return ([1], merge) }
        let parsed = scales.split(separator: ",").map { Double($0) ?? 0 }
        guard !parsed.isEmpty, parsed.allSatisfy({ $0 >= 0.05 && $0 <= 8 }) else {
            throw UsageMistake(
                "--scales '\(escaped(scales))' is not numbers from 0.05 to 8 with commas between")
        }
        return (parsed, merge ?? 0.5)
    }

    /// The same as a form.
    func form() throws(UsageMistake) -> PictureForm {
        var form = PictureForm()
        if let mean { form.mean = try numberList(mean, "--mean") }
        if let std { form.deviation = try numberList(std, "--std") }
        guard !form.deviation.contains(0) else { throw UsageMistake("--std can't be 0") }
        form.isBgr = bgr
        form.fit = fit
        return form
    }
}

/// A detector with a session.
struct Detector: ~Copyable {
    private var session: Session
    private let form: DetectorForm
    private let pictureForm: PictureForm
    private let input: (name: String, type: ValueType)
    private let deadline: Int?
    private let looks: (scales: [Double], merge: Double?)
    /// The model takes pictures of one size only.
    private let isFixed: Bool

    init(_ file: ModelArguments, _ options: PictureOptions, _ running: RunArguments) throws {
        let pictureForm = try options.form()
        let looks = try options.looks()
        let deadline = try running.limits.deadline()
        let model = try running.limits.load(file)
        let form = try DetectorForm(model.outputs, of: file.model)
        guard let input = model.inputs.first, model.inputs.count == 1 else {
            throw DCNError(
                .model, .run, "is no detector: it has \(model.inputs.count) inputs, expected one picture",
                at: Origin(file: file.model, path: ""))
        }
        let axes = input.type.tensor?.shape?.dimensions.suffix(3) ?? []
        let isFixed = !axes.isEmpty && axes.allSatisfy { $0.fixed != nil }
        if isFixed, let large = looks.scales.first(where: { $0 > 1 }) {
            throw UsageMistake("--scales \(large): the model takes pictures of one size, up to 1 fits")
        }
        session = try Session(model, options: running.options())
        (self.looks, self.isFixed) = (looks, isFixed)
        (self.pictureForm, self.deadline, self.form, self.input) = (pictureForm, deadline, form, input)
    }

    /// What the model finds: in its order, or merged and the surest first.
    mutating func detections(in picture: Picture) throws(DCNError) -> [Detection] {
        var found: [Detection] = []
        for scale in looks.scales {
            let look = try Look(at: picture, scale: scale, isFixed: isFixed)
            let (tensor, placement) = try DCNFiles.tensor(
                of: look.picture, as: input.type, pictureForm, named: input.name)
            let answer: [String: Tensor] = try session.run([input.name: tensor], deadline: deadline)
            found += look.back(try form.detections(in: answer, placement))
        }
        guard let merge = looks.merge else { return found }
        return merged(found, overlap: merge)
    }
}
