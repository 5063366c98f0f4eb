package import DCN
internal import DCNOperators
internal import Synchronization

/// Keeps what moves the samples of all deformable layers while a model runs.
package final class OffsetWatcher: StepObserver {
    private struct Layer: Sendable {
        let name: String
        let op: any Operator
        let image: ValueID
        let offset: ValueID
        let previous: Int?
    }

    private struct Seen {
        var offsets: [String: Tensor] = [:]
        var extents: [String: [Int]] = [:]
    }

    private let model: Model
    private let layers: [Layer]
    private let wantedNodes: Set<String>
    private let offsetNames: Set<String>
    private let imageNames: Set<String>
    private let seen = Mutex(Seen())

    /// A watcher of a model's deformable layers.
    package init(_ model: Model) {
        self.model = model
        let graph = model.graph
        var places: [NodeID: Int] = [:]
        var layers: [Layer] = []
        for id in graph.nodes {
            let node = graph[id]
            let index = node.op is DeformConv ? 2 : node.op is DeformAggregate ? 1 : 0
            guard index > 0, let image = node.inputs[0], let offset = node.inputs[index] else { continue }
            let name = node.name.isEmpty ? node.outputs[0].map { graph[$0].name } ?? "" : node.name
            layers.append(
                Layer(
                    name: name, op: node.op, image: image, offset: offset,
                    previous: Self.previous(image, places, graph)))
            places[id] = layers.count - 1
        }
        self.layers = layers
        let read = layers.flatMap { [$0.image, $0.offset] }
        offsetNames = Set(layers.map { graph[$0.offset].name })
        imageNames = Set(layers.map { graph[$0.image].name })
        wantedNodes = Set(
            read.compactMap { value in
                graph[value].producer.map { id in
                    graph[id].name.isEmpty
                        ? graph[id].outputs.compactMap { $0 }.first.map { graph[$0].name } ?? ""
                        : graph[id].name
                }
            })
    }

    /// How many layers there are.
    package var count: Int { layers.count }

    /// The last deformable layer that a value hangs on, not through another one.
    private static func previous(_ value: ValueID, _ places: [NodeID: Int], _ graph: Graph) -> Int? {
        var waiting = [value]
        var met: Set<NodeID> = []
        var found: Int?
        while let next = waiting.popLast() {
            guard let producer = graph[next].producer, met.insert(producer).inserted else { continue }
            if let place = places[producer] {
                found = max(found ?? place, place)
            } else {
                waiting += graph[producer].inputs.compactMap { $0 }
            }
        }
        return found
    }

    package func finished(_ step: StepReport, values: () -> [(name: String, datum: Datum)]) {
        guard wantedNodes.contains(step.node) else { return }
        for (name, datum) in values() {
            guard let tensor = datum.tensor else { continue }
            note(name, tensor)
        }
    }

    private func note(_ name: String, _ tensor: Tensor) {
        let (isOffset, isImage) = (offsetNames.contains(name), imageNames.contains(name))
        seen.withLock { seen in
            if isOffset { seen.offsets[name] = tensor }
            if isImage { seen.extents[name] = tensor.extents }
        }
    }

    /// The layers of the last run, which had these inputs.
    package func sampled(_ inputs: [String: Tensor]) -> [SamplingLayer] {
        for (name, tensor) in inputs { note(name, tensor) }
        let graph = model.graph
        var places: [Int: Int] = [:]
        var result: [SamplingLayer] = []
        for (index, layer) in layers.enumerated() {
            let name = graph[layer.offset].name
            let kept = seen.withLock { ($0.offsets[name], $0.extents[graph[layer.image].name]) }
            guard let offset = kept.0 ?? graph[layer.offset].constant?.tensor, let extents = kept.1,
                extents.count == 4
            else {
                continue
            }
            let previous = layer.previous.flatMap { places[$0] }
            let sampled: SamplingLayer? =
                switch layer.op {
                case let op as DeformConv:
                    SamplingLayer(
                        op, named: layer.name, offset: offset, input: Array(extents[2...]), previous: previous
                    )
                case let op as DeformAggregate:
                    SamplingLayer(
                        op, named: layer.name, offset: offset, input: Array(extents[1...2]),
                        previous: previous)
                default: nil
                }
            guard let sampled else { continue }
            places[index] = result.count
            result.append(sampled)
        }
        return result
    }
}
