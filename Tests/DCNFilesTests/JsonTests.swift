import DCNFiles
import Testing

@Suite("JSON")
struct JsonTests {
    @Test(
        "what is printed is read again",
        arguments: [
            "null", "[]", "{}", "[1, -2, 3.5, true, false, null]",
            "{\"a\": {\"b\": [\"x\\ny\", \"\\u0001\"]}}", "\"é🙂\\\\\\\"\"", "1e-20",
        ])
    func roundTrip(text: String) throws {
        let value = try #require(Json(text))
        #expect(Json(value.text) == value)
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", "[", "[1,]", "{\"a\"}", "{\"a\": 1,}", "tru", "\"a", "\"\\x\"", "+1", ".5", "1 2",
            "\"\\ud800\"", "[1] x",
        ])
    func refused(text: String) {
        #expect(Json(text) == nil)
    }

    @Test("depth is bounded")
    func depth() {
        #expect(Json(String(repeating: "[", count: 100_000)) == nil)
    }

    @Test("escapes of UTF-16 pairs are one character")
    func pairs() {
        #expect(Json("\"\\ud83d\\ude42\"")?.string == "🙂")
    }
}
