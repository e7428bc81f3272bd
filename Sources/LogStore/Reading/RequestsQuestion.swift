internal import GRDB
import Messages

/// `op: requests`: rows of the table of requests, newest first.
struct RequestsQuestion {
    private let connection: ReadConnection
    private let request: RequestsRequest
    private let uid: Int?

    init(_ connection: ReadConnection, _ request: RequestsRequest, uid: Int?) {
        self.connection = connection
        self.request = request
        self.uid = uid
    }

    func answer() throws -> Page {
        var page = Page()
        page.next = try self.scan.run(on: self.connection) { id in
            guard page.rows.count < self.request.limit, let row = try RequestRow(id, self.connection) else {
                return page.rows.count < self.request.limit
            }
            return page.append(row.encoded)
        }
        return page
    }

    private var scan: RowScan {
        var wanted = Conditions()
        wanted.add("uid = ?", self.uid)
        wanted.add("model = ?", self.request.model)
        wanted.add(self.request.mandate)
        let place = Conditions(placing: self.request.mandate)
        var source = "requests"
        if self.request.state == "open" {
            // In these words there is an index for it.
            source = "(SELECT * FROM requests WHERE state = 'open')"
        } else {
            wanted.add("state = ?", self.request.state)
        }
        return RowScan(
            "SELECT id, \(wanted.sql) FROM \(source) WHERE \(place.sql) AND id < ? ORDER BY id DESC",
            wanted.bindings + place.bindings + [.text(self.request.before ?? RowScan.end)])
    }
}

extension Conditions {
    /// What must be so for the row of a request to be wanted.
    mutating func add(_ filter: MandateFilter) {
        self.add("purpose = ?", filter.purpose)
        self.add("actor = ?", filter.actor)
        self.add("caller = ?", filter.caller)
        self.add("group_id = ?", filter.group?.description)
    }

    /// Where in the table wanted rows are: the one of those conditions that an index knows best.
    init(placing filter: MandateFilter) {
        self.init()
        if let group = filter.group {
            self.add("group_id = ?", group.description)
        } else {
            self.add("actor = ?", filter.actor)
        }
    }
}
