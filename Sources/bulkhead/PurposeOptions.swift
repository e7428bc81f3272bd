import ArgumentParser
import BulkheadClient

/// What a request is for, and on whose behalf.
struct PurposeOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "What it is for, which decides on the models, keys and options ('bulkhead purposes' lists what is configured).",
            valueName: "name"))
    var purpose: String?

    @Option(
        help: ArgumentHelp(
            "Whom it is for, where you ask on behalf of others and may say so ('bulkhead whoami'). Default: your own user.",
            valueName: "name"))
    var actor: String?

    func validate() throws {
        guard self.purpose != "", self.actor != "" else {
            throw ValidationError("The name of a purpose or an actor has at least one character; leave the option out.")
        }
    }

    var mandate: Mandate { Mandate(purpose: self.purpose, actor: self.actor) }
}
