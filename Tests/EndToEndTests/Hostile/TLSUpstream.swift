import Foundation
import JSON
import Testing

/// Providers over TLS, each on a port of its own, good and bad: certificates made by openssl, served by Python.
final class TLSUpstream {
    /// How a provider behaves.
    enum Mode: String, CaseIterable {
        case good
        /// Its certificate is its own.
        case selfSigned = "self_signed"
        /// Its certificate is for another host.
        case other
        case expired
        /// It speaks TLS 1.1 at most.
        case old
        /// It closes the connection instead of a handshake.
        case closed
        /// It answers in plain text.
        case plain
        /// It sends what is not encrypted after a piece of its answer.
        case garbage
        /// It closes the connection after a piece of its answer, without the end that TLS has for that.
        case cut
    }

    private let folder: Folder
    private let server: ProgramRun
    private let ports: [String: Int]

    static let isThere: Bool = {
        guard ProgramRun.hasPython, let run = try? TLSUpstream.shell("openssl version && python3 -c 'import ssl'")
        else {
            return false
        }
        return (try? run.status()) == 0
    }()

    /// Whether a process can be started that trusts what it is told to: root may give it a file system of its own.
    static let canBeTrusted: Bool = {
        let run = try? TLSUpstream.shell("unshare --mount -- mount --bind \(TLSUpstream.store) \(TLSUpstream.store)")
        return getuid() == 0 && (try? run?.status()) == 0
    }()

    /// The certificates that this machine trusts.
    private static let store = "/etc/ssl/certs/ca-certificates.crt"

    private static func shell(_ script: String) throws -> ProgramRun {
        try ProgramRun(
            URL(filePath: "/bin/sh"), ["-ec", script], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
    }

    init() throws {
        self.folder = try Folder()
        let certificates = try Self.shell(Self.certificates(in: self.folder.url.path))
        guard try certificates.status() == 0 else { throw NoTLS(reason: certificates.errors) }
        let server = try ProgramRun.python(["-c", Self.program, self.folder.url.path] + Mode.allCases.map(\.rawValue))
        try wait(for: "the servers to listen: \(server.errors)") { server.output.contains("\n") }
        let line = try #require(server.output.split(separator: "\n").first)
        let ports = try JSONValue(parsing: Array(line.utf8))
        self.ports = Dictionary(
            uniqueKeysWithValues: Mode.allCases.map { ($0.rawValue, ports[$0.rawValue]?.integer ?? 0) })
        self.server = server
    }

    struct NoTLS: Error { let reason: String }

    func url(_ mode: Mode) -> String { "https://127.0.0.1:\(self.ports[mode.rawValue]!)" }

    /// How many requests a provider has received, by what it has decrypted.
    func requests(_ mode: Mode) -> Int {
        self.server.output.split(separator: "\n").filter { $0 == "request \(mode.rawValue)" }.count
    }

    /// What starts a program that trusts our certificates beside those of this machine.
    var launcher: [String] {
        let (store, own) = (Self.store, self.folder.path("both.pem"))
        let script = "mount --bind \(own) \(store); exec \"$0\" \"$@\""
        return ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-ec", script]
    }

    private static func certificates(in folder: String) -> String {
        """
        cd \(folder)
        openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 2 -subj /CN=root
        openssl req -x509 -newkey rsa:2048 -nodes -keyout self_signed.key -out self_signed.pem -days 2 -subj /CN=127.0.0.1 \
            -addext subjectAltName=IP:127.0.0.1
        make() {
            openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.request -subj /CN=$1
            echo subjectAltName=$2 >$1.extensions
            openssl x509 -req -in $1.request -CA root.pem -CAkey root.key -CAcreateserial -days $3 -extfile $1.extensions \
                -out $1.pem
        }
        make good IP:127.0.0.1 2
        make other DNS:elsewhere.invalid 2
        make expired IP:127.0.0.1 -1
        if [ -f \(Self.store) ]; then cat \(Self.store) root.pem >both.pem; else cp root.pem both.pem; fi
        """
    }

    private static let program = #"""
        import json, os, socket, ssl, sys, threading

        folder, modes = sys.argv[1], sys.argv[2:]
        text = 'data: {"choices":[{"delta":{"content":"one "}}]}\n\n'
        end = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        head = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n'

        def context(mode):
            name = mode if mode in ('self_signed', 'other', 'expired') else 'good'
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.load_cert_chain(f'{folder}/{name}.pem', f'{folder}/{name}.key')
            if mode == 'old':
                made.set_ciphers('ALL:@SECLEVEL=0')
                made.minimum_version, made.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            return made

        def answer(plain, mode):
            if mode == 'closed':
                plain.recv(1)
                return
            if mode == 'plain':
                plain.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
                return
            with context(mode).wrap_socket(plain, server_side=True) as connection:
                request = b''
                while b'\r\n\r\n' not in request:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    request += piece
                print('request', mode, flush=True)
                connection.sendall((head + text).encode())
                if mode == 'garbage':
                    os.write(connection.fileno(), b'this is not encrypted' * 100)
                elif mode == 'good':
                    connection.sendall(end.encode())
                    connection.unwrap()

        def work(plain, mode):
            try:
                answer(plain, mode)
            except OSError:
                pass
            finally:
                plain.close()

        def serve(listener, mode):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=work, args=(plain, mode), daemon=True).start()

        ports = {}
        for mode in modes:
            listener = socket.create_server(('127.0.0.1', 0))
            ports[mode] = listener.getsockname()[1]
            threading.Thread(target=serve, args=(listener, mode), daemon=True).start()
        print(json.dumps(ports), flush=True)
        threading.Event().wait()
        """#
}
