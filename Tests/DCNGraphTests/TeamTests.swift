import DCNGraph
import Synchronization
import Testing

@Suite("The team of threads")
struct TeamTests {
    /// How often each tile of a region ran, and on which thread last.
    private struct Seen {
        var runs, threads: [Int]
    }

    private func counts(of team: Team, tiles: Int, work: (Int) -> Void = { _ in }) -> Seen {
        let none = Seen(
            runs: .init(repeating: 0, count: tiles), threads: .init(repeating: -1, count: tiles))
        let seen = Mutex(none)
        team.run(tiles: tiles) { tile, thread in
            work(tile)
            seen.withLock {
                $0.runs[tile] += 1
                $0.threads[tile] = thread
            }
        }
        return seen.withLock { $0 }
    }

    @Test("every tile runs once, however many threads and tiles there are", arguments: [1, 2, 3, 7])
    func everyTileOnce(threads: Int) {
        let team = Team(threads: threads)
        for tiles in [0, 1, 2, 3, 6, 7, 8, 100, 1000] {
            let seen = counts(of: team, tiles: tiles)
            #expect(seen.runs == [Int](repeating: 1, count: tiles))
            #expect(seen.threads.allSatisfy { (0..<threads).contains($0) })
        }
    }

    @Test("regions that follow one another at once lose and repeat nothing", arguments: [2, 5])
    func manyRegions(threads: Int) {
        let team = Team(threads: threads)
        let sum = Atomic<Int>(0)
        for region in 0..<20_000 {
            let tiles = 1 + region % 9
            team.run(tiles: tiles) { tile, _ in sum.add(tile + 1, ordering: .relaxed) }
            #expect(sum.exchange(0, ordering: .relaxed) == tiles * (tiles + 1) / 2)
        }
    }

    @Test("who has done his own takes what others have left")
    func unevenTiles() {
        let team = Team(threads: 2)
        let hasBegun = Atomic<Bool>(false)
        let others = Atomic<Int>(0)
        // The first tile waits for all the others, and they for it to begin: who takes it does none of them.
        let seen = counts(of: team, tiles: 64) { tile in
            if tile == 0 {
                hasBegun.store(true, ordering: .releasing)
                while others.load(ordering: .acquiring) < 63 {}
            } else {
                while !hasBegun.load(ordering: .acquiring) {}
                others.add(1, ordering: .releasing)
            }
        }
        #expect(seen.runs == [Int](repeating: 1, count: 64))
        #expect(Set(seen.threads[1...]).count == 1)
        #expect(seen.threads[0] != seen.threads[1])
    }

    @Test("a region opened from within a tile runs alone")
    func busyTeam() {
        let team = Team(threads: 3)
        let inner = Atomic<Int>(0)
        team.run(tiles: 12) { _, _ in
            team.run(tiles: 5) { _, thread in
                inner.add(thread == 0 ? 1 : 1000, ordering: .relaxed)
            }
        }
        #expect(inner.load(ordering: .relaxed) == 60)
    }
}
