import DCN
import DCNCommandLine
import DCNFiles
import Synchronization

/// Notes what steps do, as far as the command line asks for it.
final class Watcher: StepObserver {
    /// One step that ran.
    struct Event: Sendable {
        let node: String
        let operatorName: String
        let multiplyAdds: Int
        let start: Int
        let end: Int
    }

    private struct State {
        var events: [Event] = []
        var dumped: [(name: String, datum: Datum)] = []
        var dumpedNames: Set<String> = []
        var notFinite: String?
        var isPaused = false
    }

    private let state = Mutex(State())
    private let keepsEvents: Bool
    private let checksFinite: Bool
    private let pattern: [Character]?
    /// Whether anything is to be noted at all.
    let isNeeded: Bool

    init(_ options: WatchingOptions) {
        keepsEvents = options.profile || options.trace != nil
        checksFinite = options.checkFinite
        pattern = options.dump.map(Array.init)
        isNeeded = keepsEvents || checksFinite || pattern != nil
    }

    /// While this is set, times are not noted.
    var isPaused: Bool {
        get { state.withLock { $0.isPaused } }
        set { state.withLock { $0.isPaused = newValue } }
    }

    /// The values whose names match, each once.
    var dumped: [(name: String, datum: Datum)] { state.withLock { $0.dumped } }

    /// Where something was not finite first.
    var notFinite: String? { state.withLock { $0.notFinite } }

    /// The steps noted.
    var events: [Event] { state.withLock { $0.events } }

    func finished(_ step: StepReport, values: () -> [(name: String, datum: Datum)]) {
        if keepsEvents {
            let event = Event(
                node: step.node, operatorName: step.operatorName, multiplyAdds: step.multiplyAdds,
                start: step.start,
                end: step.end)
            state.withLock { if !$0.isPaused { $0.events.append(event) } }
        }
        guard checksFinite || pattern != nil else { return }
        for (name, datum) in values() {
            if checksFinite { look(at: datum, name, step) }
            if let pattern, matches(Array(name), pattern) {
                state.withLock { if $0.dumpedNames.insert(name).inserted { $0.dumped.append((name, datum)) } }
            }
        }
    }

    private func look(at datum: Datum, _ name: String, _ step: StepReport) {
        guard notFinite == nil else { return }
        for (name, tensor) in entries(of: datum, named: name)
        where tensor.type.element.isFloat || tensor.type.element.isComplex {
            guard let place = numbers(rowMajor(tensor)).firstIndex(where: { !$0.isFinite }) else { continue }
            state.withLock {
                $0.notFinite =
                    "'\(escaped(name))' at element \(place), made by '\(escaped(step.node))' (\(step.operatorName))"
            }
            return
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for anything and `?` for one character.
func matches(_ name: [Character], _ pattern: [Character]) -> Bool {
    var (place, star, mark) = (0, -1, 0)
    var index = 0
    while index < name.count {
        if place < pattern.count, pattern[place] == "*" {
            (star, mark) = (place, index)
            place += 1
        } else if place < pattern.count, pattern[place] == "?" || pattern[place] == name[index] {
            place += 1
            index += 1
        } else if star >= 0 {
            mark += 1
            (place, index) = (star + 1, mark)
        } else {
            return false
        }
    }
    return pattern[place...].allSatisfy { $0 == "*" }
}
