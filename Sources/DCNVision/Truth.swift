package import DCN
internal import DCNFiles

/// One picture of a folder with what is in it.
package struct LabelledPicture: Sendable {
    /// The file's name in its folder.
    package let name: String
    /// What is there.
    package let truth: [LabelledBox]
}

/// The pictures that `truth.json` in a folder lists: an array of objects with `picture`, `boxes` (left, top, right,
/// bottom in pixels) and `labels`. An `input` error when it can't be read so.
package func labelledPictures(in folder: String) throws(DCNError) -> [LabelledPicture] {
    let path = folder + "/truth.json"
    let json = try readJson(path)
    guard let list = json.elements, !list.isEmpty else { throw inputError(path, "is no list of pictures") }
    var pictures: [LabelledPicture] = []
    for (index, entry) in list.enumerated() {
        guard let name = entry["picture"]?.string, let boxes = entry["boxes"]?.elements,
            let labels = entry["labels"]?.elements, boxes.count == labels.count, !name.contains("/")
        else { throw inputError(path, "entry \(index) has no picture, boxes and labels of the same number") }
        var truth: [LabelledBox] = []
        for (box, label) in zip(boxes, labels) {
            guard let edges = box.elements?.compactMap(\.double), edges.count == 4, let label = label.integer
            else {
                throw inputError(path, "entry \(index) has a box that is not four numbers with a whole label")
            }
            truth.append(LabelledBox(box: Box(edges[0], edges[1], edges[2], edges[3]), label: label))
        }
        pictures.append(LabelledPicture(name: name, truth: truth))
    }
    return pictures
}

/// One picture of a folder with the picture of its classes.
package struct SegmentedPicture: Sendable {
    /// The file's name in its folder.
    package let name: String
    /// The name of a grey PNG of the same size, whose levels are classes.
    package let classes: String
}

/// The pictures that `truth.json` in a folder lists with `picture` and `classes`, a grey PNG; nil when the first has no
/// `classes`: then the truth is boxes. An `input` error when it can't be read so.
package func segmentedPictures(in folder: String) throws(DCNError) -> [SegmentedPicture]? {
    let path = folder + "/truth.json"
    let json = try readJson(path)
    guard let list = json.elements, list.first?["classes"] != nil else { return nil }
    var pictures: [SegmentedPicture] = []
    for (index, entry) in list.enumerated() {
        guard let name = entry["picture"]?.string, let classes = entry["classes"]?.string,
            !name.contains("/"),
            !classes.contains("/")
        else { throw inputError(path, "entry \(index) has no picture and classes, names of files beside it") }
        pictures.append(SegmentedPicture(name: name, classes: classes))
    }
    return pictures
}
