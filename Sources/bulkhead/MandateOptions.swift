import ArgumentParser
import BulkheadClient

/// Which requests on record are listed, by what they were for and who asked them.
struct MandateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only what was asked for this purpose.", valueName: "name"))
    var purpose: String?

    @Option(help: ArgumentHelp("Only what was asked for this actor.", valueName: "name"))
    var actor: String?

    @Option(help: ArgumentHelp("Only what this caller asked, by its name in bulkhead.yaml.", valueName: "name"))
    var caller: String?

    @Option(
        help: ArgumentHelp("Only this group of prompts.", valueName: "id"),
        transform: { text in
            guard let group = ULID(text) else { throw ValidationError("'\(text)' is not the id of a group") }
            return group
        })
    var group: ULID?

    var filter: MandateFilter {
        MandateFilter(purpose: self.purpose, actor: self.actor, caller: self.caller, group: self.group)
    }
}
