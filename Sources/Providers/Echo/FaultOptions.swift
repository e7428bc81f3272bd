import JSON
import Messages

/// The options of echo-fault. All are optional.
///
/// | Option         | Default | Meaning                                                                          |
/// |----------------|---------|----------------------------------------------------------------------------------|
/// | `delay_ms`     | 0       | wait so long before the first output; a cancel ends the wait                     |
/// | `chunks`       | 1       | how many pieces of text                                                          |
/// | `chunk_bytes`  | 16      | how long each piece is: its number, a space, dots                                |
/// | `interval_ms`  | 0       | wait so long between two pieces; a cancel ends the wait                          |
/// | `fault`        | none    | what goes wrong, see below                                                       |
/// | `after_chunks` | 0       | after how many pieces it goes wrong; after the last one if there are fewer       |
/// | `leak_bytes`   | 64 MiB  | how much memory `leak` takes                                                     |
///
/// | `fault`         | What happens; unless it says otherwise, the answer goes on afterwards                          |
/// |-----------------|------------------------------------------------------------------------------------------------|
/// | `crash`         | the process dies of SIGSEGV                                                                    |
/// | `exit`          | the process exits with status 7                                                                |
/// | `hang`          | the slot sleeps for ever, whatever it is told                                                  |
/// | `stop`          | the process stops itself (SIGSTOP); the answer goes on if somebody continues it                |
/// | `leak`          | memory is taken, written to, and never given back                                              |
/// | `silent`        | nothing, until a cancel                                                                        |
/// | `flood`         | text without end, until a cancel                                                               |
/// | `flood_deaf`    | text without end, whatever it is told                                                          |
/// | `garbage`       | bytes that are no frame                                                                        |
/// | `huge_frame`    | a frame of 1 GiB is announced                                                                  |
/// | `bad_json`      | a frame whose JSON is cut off                                                                  |
/// | `unknown_event` | a frame with an event that the protocol does not have                                          |
/// | `long_event`    | a text event that is longer than an event may be                                               |
/// | `two_lasts`     | one last frame too many                                                                        |
/// | `after_last`    | a last frame, text after it, and the usual last frame                                          |
/// | `forged_code`   | the request fails with `worker_crashed`, which only the supervisor may say                     |
/// | `error`         | the request fails with `model_error`, as any may                                               |
struct FaultOptions {
    enum Fault: String, CaseIterable {
        case crash, exit, hang, stop, leak, silent, flood, garbage, error
        case deafFlood = "flood_deaf"
        case hugeFrame = "huge_frame"
        case badJSON = "bad_json"
        case unknownEvent = "unknown_event"
        case longEvent = "long_event"
        case twoLasts = "two_lasts"
        case afterLast = "after_last"
        case forgedCode = "forged_code"
    }

    var delayMilliseconds = 0
    var chunks = 1
    var chunkBytes = 16
    var intervalMilliseconds = 0
    var fault: Fault?
    var afterChunks = 0
    var leakBytes = 64 << 20

    private static var numbers: [String: WritableKeyPath<FaultOptions, Int>] {
        [
            "delay_ms": \.delayMilliseconds, "chunks": \.chunks, "chunk_bytes": \.chunkBytes,
            "interval_ms": \.intervalMilliseconds, "after_chunks": \.afterChunks, "leak_bytes": \.leakBytes,
        ]
    }

    init(_ options: [JSONValue.Member]) throws(RequestEnd) {
        for option in options {
            if let path = Self.numbers[option.name] {
                // Options of the command line are strings.
                let number = option.value.integer ?? option.value.string.flatMap { Int($0) }
                guard let number, (0...1 << 30).contains(number) else {
                    throw .failed(.invalidOptions, "option '\(option.name)' must be an integer from 0 to \(1 << 30)")
                }
                self[keyPath: path] = number
            } else if option.name == "fault" {
                guard let fault = option.value.string.flatMap(Fault.init) else {
                    let names = Fault.allCases.map(\.rawValue).sorted().joined(separator: ", ")
                    throw .failed(.invalidOptions, "option 'fault' must be one of \(names)")
                }
                self.fault = fault
            } else {
                let names = (Self.numbers.keys + ["fault"]).sorted().joined(separator: ", ")
                throw .failed(.invalidOptions, "option '\(option.name)' is not known. Valid options: \(names)")
            }
        }
    }
}
