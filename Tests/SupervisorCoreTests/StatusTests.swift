import JSON
import Messages
import Testing

@testable import SupervisorCore

/// `op: status` and `op: models`, as proto/client.md describes them.
@Suite struct StatusTests {
    private static func status(_ scenario: inout Scenario) -> JSONValue {
        let prefix = "client 9: "
        let text = scenario.client(9, #"{"id":"status","op":"status"}"#)[0].dropFirst(prefix.count)
        return ((try? JSONValue(parsing: Array(text.utf8))) ?? .null)["status"] ?? .null
    }

    private static func names(_ value: JSONValue?) -> [String] { value?.members?.map(\.name) ?? [] }

    @Test func itHasTheMembersThatTheProtocolDescribes() {
        var scenario = Scenario.ready()
        scenario.connect(9)
        let status = Self.status(&scenario)
        #expect(
            Self.names(status) == [
                "version", "pid", "uptime_ms", "draining", "durability", "connections", "requests", "memory", "logger",
                "reader", "configuration", "providers", "hooks",
            ])
        #expect(Self.names(status["configuration"]) == ["generation", "former", "refused", "reloading"])
        #expect(
            Self.names(status["requests"]) == [
                "open", "queued", "waiting", "chains", "groups", "finishing", "admitted", "done", "error", "cancelled",
                "crashed", "retries", "fallbacks",
            ])
        #expect(Self.names(status["memory"]) == ["budget_bytes", "used_bytes"])
        #expect(
            Self.names(status["logger"])
                == ["state", "pid", "restarts", "backlog_records", "backlog_bytes", "acknowledged"])
        #expect(Self.names(status["reader"]) == ["state", "restarts", "questions"])
        #expect(
            Self.names(status["providers"]?.array?.first) == [
                "name", "type", "state", "pid", "processes", "slots", "busy", "queued", "starts", "deaths",
            ])
    }

    @Test func itCountsWhatIsOpenAndWhatHasEnded() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(slots: 2)])
        scenario.connect(9)
        for id in 1...6 { scenario.client(9, #"{"id":\#(id),"op":"prompt"}"#) }
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.slot(1, 0, .error(Failure(.modelError, "no"), usage: nil))
        scenario.client(9, #"{"id":7,"op":"cancel","target":6}"#)
        scenario.pass(.seconds(2))
        let status = Self.status(&scenario)
        let requests = status["requests"]
        #expect(requests?["open"]?.integer == 3)
        #expect(requests?["queued"]?.integer == 1)
        #expect(requests?["admitted"]?.integer == 6)
        #expect(requests?["done"]?.integer == 1)
        #expect(requests?["error"]?.integer == 1)
        #expect(requests?["cancelled"]?.integer == 1)
        #expect(requests?["crashed"]?.integer == 0)
        #expect(status["uptime_ms"]?.integer == 2_000)
        #expect(status["connections"]?.integer == 1)
        let provider = status["providers"]?.array?.first
        #expect(provider?["busy"]?.integer == 2)
        #expect(provider?["queued"]?.integer == 1)
        #expect((status["memory"]?["used_bytes"]?.integer ?? 0) > 0)
    }

    @Test func itTellsHowALoggerIs() {
        var scenario = Scenario()
        scenario.post(.start)
        scenario.connect(9)
        #expect(Self.status(&scenario)["logger"]?["state"]?.string == "starting")
        scenario.post(.loggerStarted(pid: 77))
        scenario.loggerIsReady()
        scenario.client(9, #"{"id":1,"op":"prompt"}"#)
        let ready = Self.status(&scenario)["logger"]
        #expect(ready?["state"]?.string == "ready")
        #expect(ready?["pid"]?.integer == 77)
        #expect(ready?["backlog_records"]?.integer == 1)
        scenario.commit()
        scenario.post(.loggerExited(.signalled(9)))
        let dead = Self.status(&scenario)["logger"]
        #expect(dead?["state"]?.string == "restarting")
        #expect(dead?["restarts"]?.integer == 1)
        #expect(dead?["acknowledged"]?.integer == 1)
        #expect(dead?["pid"] == nil)
    }

    @Test func itTellsWhyAProviderIsAway() {
        var scenario = Scenario.ready()
        scenario.connect(9)
        scenario.post(.workerExited(WorkerID(1), .signalled(11)))
        let waiting = Self.status(&scenario)["providers"]?.array?.first
        #expect(waiting?["state"]?.string == "waiting")
        #expect(waiting?["last_exit"]?.string == "signal 11, SIGSEGV")
        #expect((50...100).contains(waiting?["retry_in_ms"]?.integer ?? 0))
        #expect(waiting?["pid"] == nil)
        scenario.pass(.milliseconds(100))
        scenario.post(.workerExited(WorkerID(2), .exited(code: 78)))
        let parked = Self.status(&scenario)["providers"]?.array?.first
        #expect(parked?["state"]?.string == "parked")
        #expect(parked?["retry_in_ms"]?.integer == 30_000)
        #expect(parked?["deaths"]?.integer == 2)
    }

    @Test func modelsAreListedInTheOrderOfTheConfigurationAndOneIsTheDefault() {
        var first = ProviderSettings.echo()
        first.models = [ModelDescription(id: "a", aliases: ["x"]), ModelDescription(id: "b", needsKey: true)]
        first.key = "k"
        var second = ProviderSettings.echo("other")
        second.models = [ModelDescription(id: "c"), ModelDescription(id: "a")]
        var scenario = Scenario.ready(providers: [first, second])
        scenario.connect(1)
        #expect(
            scenario.client(1, #"{"id":1,"op":"models"}"#) == [
                #"client 1: {"id":1,"event":"done","models":["#
                    + #"{"id":"a","aliases":["x"],"needs_key":false,"provider":"echo","default":true,"available":true},"#
                    + #"{"id":"b","aliases":[],"needs_key":true,"provider":"echo","default":false,"available":true},"#
                    + #"{"id":"c","aliases":[],"needs_key":false,"provider":"other","default":false,"available":true}]}"#
            ])
    }
}
