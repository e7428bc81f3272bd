// bulkheadd: the supervisor. One thread, one loop; see Shell.swift and the SupervisorCore module.
import CLinux
import Glibc
import Libuv
import Logging
import Messages
import SupervisorCore

/// Things that a process inherits and that would surprise a daemon.
func resetInheritedState() {
    // A parent may leave signals blocked (libdispatch's threads block nearly all), and a blocked SIGCHLD never arrives.
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
    signal(SIGPIPE, SIG_IGN)
    // A reload is possible from the loop's first turn on; until then it would be the end.
    signal(SIGHUP, SIG_IGN)
    // Keys pass through this process and its children: no core files, and no debugger but root's.
    CLinux_set_not_dumpable()
    // Swift's runtime writes what it finds in registers, and in the memory that they point to, to standard error.
    for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
    var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
    // Each connection and each slot is a descriptor.
    var descriptors = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0 {
        descriptors.rlim_cur = min(descriptors.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors)
    }
}

func run(_ arguments: Arguments, environment: [String]) throws -> CInt {
    let log = Logger(label: "bulkheadd") { StreamLogHandler.standardError(label: $0) }
    let notifySocket = NotifySocket.inherited()
    let loop = try Loop()
    let configurationProgram = try ProgramTable.configuration(arguments, environment: environment)
    let configuration = try ConfigurationLoader.load(configurationProgram, on: loop)
    for warning in configuration.warnings { log.warning("configuration", metadata: ["warning": "\(warning)"]) }
    let programs = try ProgramTable(stateDirectory: configuration.stateDirectory, environment: environment)
    let listener =
        try Listener.inherited(on: loop)
        ?? Listener.bind(
            path: configuration.socketPath, mode: configuration.socketMode, group: configuration.socketGroup, on: loop)
    let shell = try Shell(
        loop: loop, listener: listener, programs: programs, configurationProgram: configurationProgram,
        notifySocket: notifySocket, configuration: configuration, log: log)
    let signals = try [(SIGTERM, Event.drain), (SIGINT, .drain), (SIGHUP, .reload)].map { number, event in
        try Signal(number, on: loop) { shell.post(event) }
    }
    try shell.start()
    log.info(
        "listening",
        metadata: ["socket": "\(configuration.socketPath)", "state_directory": "\(configuration.stateDirectory)"])
    log.info("clients are known by", metadata: PeerIdentity.sources.mapValues { .string($0) })
    loop.run()
    listener.close()
    log.info("stopped", metadata: ["exit_code": "\(shell.exitCode)"])
    withExtendedLifetime(signals) {}
    return shell.exitCode
}

func complain(_ text: String) {
    let line = Array("bulkheadd: \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}

resetInheritedState()
let environment = InheritedEnvironment.take()
switch Arguments.parse(CommandLine.arguments, version: SoftwareVersion.current) {
case .print(let text):
    print(text)
case .refuse(let reason):
    complain("\(reason); see bulkheadd --help")
    exit(64)
case .run(let arguments):
    do {
        // The loop still has open handles: the end of the process closes them.
        exit(try run(arguments, environment: environment))
    } catch let error as StartError {
        complain("\(error)")
        exit(error.exitCode)
    } catch {
        complain("\(error)")
        exit(1)
    }
}
