/// Expected values that llm 0.36 and Python's `json` computed.
enum IdentityVectors {
    static let numbers: [(String, String)] = [
        ("0.00001234", "1.234e-05"),
        ("1E5", "100000.0"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("1e400", "Infinity"),
        ("-1e400", "-Infinity"),
        ("0.1", "0.1"),
        ("100.0", "100.0"),
        ("12345678901234567.0", "1.2345678901234568e+16"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e+16"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("123e-7", "1.23e-05"),
        ("4.35", "4.35"),
        ("9007199254740993.0", "9007199254740992.0"),
        ("2.5e-9", "2.5e-09"),
        ("1e21", "1e+21"),
        ("0e5", "0.0"),
        ("1.0e0", "1.0"),
        ("123456.789e3", "123456789.0"),
        ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
    ]

    static let names: [(String, String)] = [
        ("", ""), ("\u{1C} a\u{3000}\u{2003}b ", " a b "),
        (String(repeating: "é", count: 33), String(repeating: "é", count: 31) + "…"),
        (String(repeating: "x", count: 31) + "  y", String(repeating: "x", count: 31) + "…"),
    ]

    static let mediaTypes: [([UInt8], String?)] = [
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D], "image/png"),
        ([0xFF, 0xD8, 0xFF, 0xE0, 0, 0x10], "image/jpeg"), ([0xFF, 0xD8, 0xFF, 0xDB, 0, 0x43], "image/jpeg"),
        (Array("GIF89a\u{1}\0".utf8), "image/gif"), (Array("GIF87a\u{1}\0".utf8), "image/gif"),
        (Array("RIFF$\0\0\0WEBPVP8X".utf8), "image/webp"), (Array("RIFF$\0\0\0WAVEfmt ".utf8), "audio/wav"),
        (Array("%PDF-1.7\n".utf8), "application/pdf"), (Array("ID3\u{4}\0\0".utf8), "audio/mpeg"),
        ([0xFF, 0xFB, 0x90, 0x64], "audio/mpeg"), (Array("hello world".utf8), nil), (Array("x".utf8), nil), ([], nil),
    ]

    /// A conversation.
    static let chain = #"""
        [{"parent": null, "message": {"role": "system", "parts": [{"type": "text", "text": "Antworte knapp."}]},
          "hash": "b2:ade35cb6e3dda939f18eea4708377aae"},
        {"parent": "b2:ade35cb6e3dda939f18eea4708377aae", "message": {"role": "user", "parts": [{"type": "text",
          "text": "Wie gro\u00df ist 2\u2076\u2074?\r\n\u0000\u007f\u0085"}]},
          "hash": "b2:477398c69cebbd61f869f1129af2a0f6"},
        {"parent": "b2:477398c69cebbd61f869f1129af2a0f6", "message": {"role": "assistant", "parts": [
          {"type": "reasoning", "text": "rechnen\u2026"}, {"type": "text",
          "text": "18446744073709551616"}, {"type": "tool_call", "name": "plus",
          "arguments": {"zz": 18446744073709551616, "b": 1e+22, "a": 123456789012345680,
          "f": [1.234e-05, 100000.0, 0, -0.0, 5e-324, 1.7976931348623157e+308, 1e400, 0.1, 100.0, 1.2345678901234568e+16],
          "\u007f": "\u2028", "\u00e9": "\ud83d\ude00", "Z": null}, "tool_call_id": "call_9"}]},
          "hash": "b2:76bef3f69994efbba07f2604e619146f"},
        {"parent": "b2:76bef3f69994efbba07f2604e619146f", "message": {"role": "tool", "parts": [
          {"type": "tool_result", "name": "plus", "output": "{\"ok\": true}", "tool_call_id": "call_9"}]},
          "hash": "b2:502be10029611995dccc66252d9b9b23"},
        {"parent": "b2:502be10029611995dccc66252d9b9b23", "message": {"role": "user", "parts": [{"type": "text",
          "text": "see"}, {"type": "attachment", "attachment": {"type": "image/gif", "content": "R0lGODlh"}}]},
          "hash": "b2:fc6c4f5ffc11634cd6fab3518593158d"}]
        """#
}
