/// How the logger ends, with the numbers of sysexits(3). The supervisor starts another one after any but `done`.
enum ExitCode: CInt {
    /// The channel ended, and what had come through it is in the file.
    case done = 0
    /// It was started wrongly.
    case usage = 64
    /// The supervisor sent something that is not the protocol.
    case invalidInput = 65
    /// The file or the channel could not be written or read.
    case inputOutput = 74
    /// Another program holds the file; later it may be free.
    case busy = 75
    /// The file cannot be used until somebody changes something.
    case configuration = 78
}
