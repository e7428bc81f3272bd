import Foundation

/// Our programs in a folder, with worker and logger behind a tap: each frame that the supervisor and they exchange is kept in a
/// file, by process and direction.
final class WiretappedPrograms {
    let folder = try! Folder()
    var daemon: URL { URL(filePath: self.folder.path("bulkheadd")) }

    static let tapped = ["bulkhead-worker", "bulkhead-logger"]

    init() throws {
        try self.folder.copy(["bulkheadd", "bulkhead-config"], to: ".")
        try self.folder.copy(Self.tapped, to: "real")
        try FileManager.default.createDirectory(atPath: self.folder.path("taps"), withIntermediateDirectories: true)
        chmod(self.folder.path("taps"), 0o777)
        for program in Self.tapped {
            let path = try self.folder.write(Self.tap, to: program)
            chmod(path, 0o755)
        }
    }

    /// What was said on the channels of a program: all that the supervisor said to it, or all that it said.
    ///
    /// - Parameter arguments: Words of the command line, the program's name first, that the processes have in common.
    func said(_ direction: Direction, _ arguments: String) throws -> Data {
        var all = Data()
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder.path("taps")).sorted()
        where name.hasPrefix(arguments) && name.hasSuffix(direction.rawValue) {
            all += try Data(contentsOf: URL(filePath: self.folder.path("taps/\(name)")))
        }
        return all
    }

    enum Direction: String { case fromSupervisor = "-from-supervisor", toSupervisor = "-to-supervisor" }

    /// Stands between the supervisor and a program: it takes the channels, gives the program others of the same numbers, and
    /// passes on and writes down what goes through.
    private static let tap = #"""
        #!/usr/bin/env python3
        import os, select, signal, socket, stat, sys
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        folder, name = os.path.split(os.path.abspath(sys.argv[0]))
        def is_socket(number):
            try: return stat.S_ISSOCK(os.fstat(number).st_mode)
            except OSError: return False
        numbers = [number for number in range(3, 300) if is_socket(number)]
        mine = {number: socket.fromfd(number, socket.AF_UNIX, socket.SOCK_STREAM) for number in numbers}
        pairs = {number: socket.socketpair() for number in numbers}
        high = {number: os.dup2(pairs[number][1].fileno(), 400 + number, False) for number in numbers}
        if os.fork() == 0:
            for number in numbers: os.dup2(high[number], number, True)
            os.closerange(max(numbers) + 1, 2000)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(number, signal.SIG_DFL)
            os.execv(os.path.join(folder, "real", name), [name] + sys.argv[1:])
        for number in numbers:
            pairs[number][1].close()
            os.close(high[number])
            os.close(number)
        subject = "-".join([name] + [word.replace("/", "_") for word in sys.argv[1:2]])
        def tape(direction):
            path = os.path.join(folder, "taps", "%s-%d%s" % (subject, os.getpid(), direction))
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        tapes = [tape("-from-supervisor"), tape("-to-supervisor")]
        routes = {}
        for number in numbers:
            inner = pairs[number][0]
            routes[mine[number].fileno()] = (mine[number], inner, tapes[0])
            routes[inner.fileno()] = (inner, mine[number], tapes[1])
        poller = select.poll()
        for descriptor in routes: poller.register(descriptor, select.POLLIN)
        open_inner = len(numbers)
        while routes and open_inner:
            for descriptor, _ in poller.poll():
                source, target, tape = routes[descriptor]
                try: data = source.recv(65536)
                except OSError: data = b""
                if data:
                    os.write(tape, data)
                    try: target.sendall(data)
                    except OSError: data = b""
                if not data:
                    poller.unregister(descriptor)
                    del routes[descriptor]
                    try: target.shutdown(socket.SHUT_WR)
                    except OSError: pass
                    if tape == tapes[1]: open_inner -= 1
        _, status = os.wait()
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)

        """#
}
