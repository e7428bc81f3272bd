import Glibc

// The only writer of logs.db or, with --read, its reader; started by the supervisor with its channel on descriptor 3
// (docs/log.md).

ProcessSettings.apply()
exit(LoggerProgram.run(arguments: CommandLine.arguments))
