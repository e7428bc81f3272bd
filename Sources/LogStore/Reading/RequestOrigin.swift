import JSON
import Messages

/// Who made a request, beside the numbers, for whom and what for: those columns of the table of requests that came with
/// purposes and callers, all of them null in older rows.
struct RequestOrigin {
    /// A JSON array.
    let groups: JSONValue?
    let unit: String?
    let caller: String?
    let actor: String?
    let purpose: String?
    let group: String?
    let keyName: String?
    /// A JSON object.
    let annotations: JSONValue?

    static let columns = "user_groups, unit, caller, actor, purpose, group_id, key_name, annotations"

    /// - Parameter first: The place of the first of ``columns`` in the row.
    init(_ row: PreparedStatement, from first: CInt) {
        let groups = row.text(first).flatMap { StoredJSON.value(Array($0.utf8), nodes: ProtocolBounds.groups + 1) }
        self.groups = groups?.array == nil ? nil : groups
        self.unit = row.text(first + 1)
        self.caller = row.text(first + 2)
        self.actor = row.text(first + 3)
        self.purpose = row.text(first + 4)
        self.group = row.text(first + 5)
        self.keyName = row.text(first + 6)
        let annotations = row.text(first + 7).flatMap {
            StoredJSON.value(Array($0.utf8), nodes: LogRowBuilder.jsonNodes / 4)
        }
        self.annotations = annotations?.members == nil ? nil : annotations
    }

    func appendPeer(to object: inout JSONObjectBuilder) {
        if let groups = self.groups { object.add("groups", groups) }
        object.add("unit", ifPresent: self.unit)
    }

    func appendMandate(to object: inout JSONObjectBuilder) {
        object.add("caller", ifPresent: self.caller)
        object.add("actor", ifPresent: self.actor)
        object.add("purpose", ifPresent: self.purpose)
        object.add("group", ifPresent: self.group)
    }

    /// How many values ``groups`` and ``annotations`` hold.
    var nodes: Int { (self.groups?.nodeCount ?? 0) + (self.annotations?.nodeCount ?? 0) }
}
