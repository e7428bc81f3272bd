import Messages
import Testing

@Suite struct AttachmentTests {
    @Test(
        arguments: [
            ("", []), ("AA==", [0]), ("AAE=", [0, 1]), ("AAEC", [0, 1, 2]), ("+/+/", [0xFB, 0xFF, 0xBF]),
            ("AAE", [0, 1]),
        ] as [(String, [UInt8])])
    func base64IsRead(text: String, bytes: [UInt8]) { #expect(Base64.decode(text) == bytes) }

    @Test(arguments: ["A", "AAAAA", "A=AA", "AA=A", "-_-_", "AA AA", "AA\n==", "ä", "====", "A==="])
    func whatIsNoBase64IsNotRead(text: String) {
        #expect(Base64.decode(text) == nil)
        #expect(!Base64.isValid(text))
    }

    @Test func everyLengthComesBack() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.isValid(Base64.encode(bytes)))
        }
    }

    @Test(
        arguments: [
            (nil, "iVBORw0KGgo=", "image/png"), (nil, "/9j/4AAQ", "image/jpeg"), (nil, "R0lGODlhAQ==", "image/gif"),
            (nil, "UklGRgAAAABXRUJQ", "image/webp"), (nil, "UklGRgAAAABXQVZF", "audio/wav"),
            (nil, "SUQzBAAA", "audio/mpeg"),
            (nil, "JVBERi0xLjQ=", "application/pdf"), (nil, "aGVsbG8=", nil), ("", "iVBORw0KGgo=", "image/png"),
            ("Text/Plain; charset=utf-8", "iVBORw0KGgo=", "text/plain"),
        ] as [(String?, String, String?)])
    func theTypeOfBytesIsWhatWasSaidOrHowTheyBegin(said: String?, content: String, type: String?) {
        #expect(Attachment(mediaType: said, .content(content)).knownMediaType == type)
    }

    @Test func theDoorRefusesContentThatIsNoBase64() {
        for content in ["hello!", "AAE", "aGk\\n="] {
            let fields = [
                #""attachments":[{"type":"image/png","content":"AAEC"},{"type":"image/png","content":"\#(content)"}]"#,
                #""messages":[{"role":"user","parts":[{"type":"attachment","attachment":{"content":"\#(content)"}}]}]"#,
                #""tool_results":[{"name":"f","output":"","attachments":[{"content":"\#(content)"}]}]"#,
            ]
            for field in fields {
                let request = #"{"id":1,"op":"prompt","prompt":"x",\#(field)}"#
                #expect(throws: (any Error).self, "\(request)") { try ClientRequest(decoding: Array(request.utf8)) }
            }
        }
    }
}
