import DCNFormats
import DCNGraph
@preconcurrency import Glibc
import Mutation

/// Mutates a model and runs it: `trial SEED FIRST COUNT FILE`; with a COUNT of 1 it tells what it made and how it ended.
///
/// Writes the file and trial at hand to the file named by `DCN_TRIAL_LOG`, so that a crash can be repeated.
let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 4, let path = arguments.last else {
    print("usage: trial SEED FIRST COUNT FILE")
    exit(64)
}
let numbers = arguments.dropLast().map { UInt32($0) ?? 0 }
let first = Int(numbers[1])
let trials = first..<first + Int(numbers[2])
let log = getenv("DCN_TRIAL_LOG").map { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) } ?? -1
var answered = 0, refused = 0
let model: SourceModel
do { model = try readOnnx(contentsOf: path) } catch {
    print(error)
    exit(0)
}
for trial in trials {
    if log >= 0 {
        let line = Array("\(trial)      \n".utf8)
        pwrite(log, line, line.count, 0)
    }
    alarm(20)
    var random = SeededRandom(seed: UInt64(numbers[0]) << 32 + UInt64(trial))
    var changed = model
    var mutation = ModelMutation(SeededRandom(seed: random.next()))
    mutation.apply(to: &changed)
    if trials.count == 1 {
        setbuf(stdout, nil)
        tell(changed)
    }
    let end = attempt(changed, &random)
    if case .answered = end { answered += 1 } else { refused += 1 }
    if trials.count == 1 { print(end) }
}
print("\(answered) answered, \(refused) refused")

func tell(_ model: SourceModel) {
    for node in model.graph.nodes { print(node.opType, node.version, node.inputs, node.attributes) }
    for input in model.graph.inputs { print(input.name, input.type.map { "\($0)" } ?? "?") }
    for (name, tensor) in model.graph.initialisers { print(name, tensor.type) }
}
