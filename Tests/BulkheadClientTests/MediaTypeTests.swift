import BulkheadClient
import Testing

struct MediaTypeTests {
    private static func content(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let contents: [(type: String, bytes: [UInt8])] = [
        ("image/png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0]), ("image/jpeg", [0xFF, 0xD8, 0xFF, 0xE0]),
        ("image/gif", Self.content("GIF89a;")), ("application/pdf", Self.content("%PDF-1.7\n")),
        ("image/webp", Self.content("RIFF....WEBPVP8 ")), ("audio/wav", Self.content("RIFF....WAVEfmt ")),
        ("image/heic", Self.content("....ftypheic")), ("image/avif", Self.content("....ftypavif")),
        ("audio/mp4", Self.content("....ftypM4A ")), ("video/mp4", Self.content("....ftypisom")),
        ("video/quicktime", Self.content("....ftypqt  ")), ("image/tiff", [0x49, 0x49, 0x2A, 0, 8]),
        ("audio/mpeg", Self.content("ID3\u{4}")), ("audio/mpeg", [0xFF, 0xFB, 0x90, 0x64]),
        ("audio/aac", [0xFF, 0xF1, 0x50, 0x80]), ("audio/ogg", Self.content("OggS\0")),
        ("audio/flac", Self.content("fLaC\0")), ("video/webm", [0x1A, 0x45, 0xDF, 0xA3, 0x77, 0x65, 0x62, 0x6D]),
        ("application/zip", [0x50, 0x4B, 3, 4, 0]), ("text/plain", Self.content("just a text")),
        ("text/plain", Self.content("BMW, a text")),
    ]

    @Test(arguments: Self.contents)
    func contentIsKnownByItsBeginning(type: String, bytes: [UInt8]) {
        #expect(MediaType.guess(bytes) == type)
        #expect(MediaType.guess(bytes, name: "folder.d/misleading.png") == type, "a name cannot say otherwise")
    }

    @Test(
        arguments: [
            [], [0, 1, 2, 3], [0xFF, 0xFE, 0x68, 0], [0x7F, 0x45, 0x4C, 0x46, 2, 1], [0xC3, 0x28],
        ] as [[UInt8]])
    func whatCannotBeToldIsNotGuessed(bytes: [UInt8]) {
        #expect(MediaType.guess(bytes, name: "photo.png") == nil)
    }

    @Test func aNameSaysWhatKindOfTextOrArchiveItIs() {
        let text = Array("a,b\n".utf8)
        #expect(MediaType.guess(text, name: "/tmp/Table.CSV") == "text/csv")
        #expect(MediaType.guess(text, name: "README.md") == "text/markdown")
        #expect(MediaType.guess(text, name: "Makefile") == "text/plain")
        #expect(MediaType.guess([0x50, 0x4B, 3, 4], name: "a.docx")?.contains("wordprocessingml") == true)
        #expect(MediaType.guess([0x50, 0x4B, 3, 4], name: "a.csv") == "application/zip")
    }

    @Test func aURLSaysItByTheEndingOfItsPath() {
        #expect(MediaType.guess(url: "https://example.com/a/b.jpg?size=1.png#x.gif") == "image/jpeg")
        #expect(MediaType.guess(url: "https://example.com/report.pdf") == "application/pdf")
        #expect(MediaType.guess(url: "https://example.com/image") == nil)
        #expect(MediaType.guess(url: "https://example.com/") == nil)
    }

    @Test func theFormOfAMediaTypeIsChecked() {
        for type in ["image/png", "application/vnd.ms-excel", "image/svg+xml", "text/plain; charset=utf-8"] {
            #expect(MediaType.isValid(type), "\(type)")
        }
        for type in ["", "png", "/png", "image/", "a/b/c", "image /png", "photo.png"] {
            #expect(!MediaType.isValid(type), "\(type)")
        }
    }
}
