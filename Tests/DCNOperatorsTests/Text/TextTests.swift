import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Operators on strings")
struct TextTests {
    @Test(
        "regular expressions match whole strings",
        arguments: [
            ("a*b", ["b", "aab"], ["a", "ba", ""]), ("(ab|c)+", ["abc", "c"], ["", "abb"]),
            ("[a-c]{2,3}", ["ab", "abc"], ["a", "abca", "ad"]), ("x{,2}", ["x{,2}"], ["xx"]),
            ("\\d+\\.\\w?", ["12.", "1.z"], ["a.", "12.zz"]), ("[^\\d\\s]", ["a", "é"], ["1", " "]),
            ("^(?:a|b)$", ["a"], ["ab"]), ("a.c", ["abc", "a-c"], ["a\nc"]), ("\\x41\\x{42}", ["AB"], ["ab"]),
            ("a\\b.b", ["a b"], ["axb"]), ("", [""], ["a"]), ("[]a]", ["]", "a"], ["b"]),
            ("(a*)*", ["", "aa"], ["b"]),
        ])
    func regex(pattern: String, yes: [String], no: [String]) throws {
        let x = try #require(
            Tensor(extents: [yes.count + no.count], strings: (yes + no).map { ByteString($0) }))
        let flags = try run(RegexFullMatch(pattern: pattern), [x])[0].elements(as: UInt8.self)
        #expect(flags == yes.map { _ in 1 } + no.map { _ in 0 })
    }

    @Test(
        "wrong and hostile expressions are refused",
        arguments: [
            "(", ")", "[a", "*a", "a**", "\\", "[z-a]", "a{2000}", "\\p{L}", "(?i)a", "\\x{110000}", "\\x4",
            String(repeating: "(", count: 10_000), "((((){1000}){1000}){1000}){1000}",
            "(((a{100}){100}){100})",
        ])
    func refused(pattern: String) {
        #expect(throws: Misfit.self) {
            try run(RegexFullMatch(pattern: pattern), [Tensor(extents: [0], strings: [])])
        }
    }

    @Test("a match takes time in proportion to the text")
    func linear() throws {
        let text = ByteString(String(repeating: "a", count: 5000))
        let x = try #require(Tensor(extents: [1], strings: [text]))
        #expect(try run(RegexFullMatch(pattern: "(a|aa|a*)*b"), [x])[0].elements(as: UInt8.self) == [0])
    }

    @Test("strings are cut and filled up")
    func split() throws {
        let x = try #require(Tensor(extents: [2], strings: [ByteString("a,,b"), ByteString("c")]))
        let pieces = try run(StringSplit(delimiter: ","), [x], outputs: 2)
        #expect(pieces[0].withStrings == ["a", "", "b", "c", "", ""])
        #expect(pieces[1].elements(as: Int64.self) == [3, 1])
        let words = try #require(Tensor(extents: [1], strings: [ByteString("  one two  three ")]))
        #expect(try run(StringSplit(limit: 1), [words], outputs: 2)[0].withStrings == ["one", "two  three"])
    }

    @Test("n-grams are counted over skips")
    func grams() throws {
        let x = Tensor(vector: [Int64(1), 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8])
        let pool = Tensor(vector: [Int64(2), 3, 5, 4, 5, 6, 7, 8, 6, 7])
        let inputs = [
            x, pool, Tensor(vector: [Int64(0), 4]), Tensor(vector: [Int64(0), 1, 2, 3, 4, 5, 6]),
            Tensor(vector: [Float]()),
        ]
        let pairs = TfIdfVectorizer(mode: .count, lengths: 2...2, mostSkipped: 0)
        #expect(try run(pairs, inputs)[0].elements(as: Float.self) == [0, 0, 0, 0, 1, 1, 1])
        let skipping = TfIdfVectorizer(mode: .count, lengths: 1...2, mostSkipped: 5)
        #expect(try run(skipping, inputs)[0].elements(as: Float.self) == [0, 3, 1, 0, 1, 3, 1])
    }
}
