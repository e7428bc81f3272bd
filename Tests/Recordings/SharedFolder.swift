public import Foundation

/// The folder with vectors and recordings that may lie beside the package; tests that need it are skipped without it.
public enum SharedFolder {
    /// `BULKHEAD_SHARED`, or `shared` beside the package.
    public static let url: URL? = {
        if let path = ProcessInfo.processInfo.environment["BULKHEAD_SHARED"] { return URL(fileURLWithPath: path) }
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while folder.path != "/" {
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
                let shared = folder.deletingLastPathComponent().appendingPathComponent("shared")
                return FileManager.default.fileExists(atPath: shared.path) ? shared : nil
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }()

    /// Whether it holds `path`.
    public static func holds(_ path: String) -> Bool {
        self.url.map { FileManager.default.fileExists(atPath: $0.appendingPathComponent(path).path) } ?? false
    }
}
