/// Cuts `count` items into contiguous tiles by a rule over the work alone, so that results never depend on threads.
package struct Tiling: Sendable, Hashable {
    /// How many items there are.
    package let count: Int
    /// Items of each tile but the last.
    package let grain: Int

    /// Tiles of about `target` units of work each, at most `limit` of them; an item costs `cost` units.
    package init(_ count: Int, cost: Int = 1, target: Int = 16_384, limit: Int = 64, multipleOf: Int = 1) {
        self.count = max(0, count)
        let wanted = max(1, target / max(1, cost))
        let least = (self.count + limit - 1) / limit
        let grain = max(1, max(wanted, least))
        self.grain = (grain + multipleOf - 1) / multipleOf * multipleOf
    }

    /// How many tiles there are.
    package var tiles: Int { (count + grain - 1) / grain }

    /// The items of one tile.
    package subscript(tile: Int) -> Range<Int> {
        let start = tile * grain
        return start..<min(count, start + grain)
    }
}
