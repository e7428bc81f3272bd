import SupervisorCore
import Testing

@Suite struct SystemdUnitTests {
    private func unit(_ text: String) -> String? { SystemdUnit.name(inControlGroups: Array(text.utf8)) }

    private func unit(path: String) -> String? { self.unit("0::\(path)\n") }

    @Test(arguments: [
        ("/system.slice/nginx.service", "nginx.service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
        ("/system.slice/docker-0123abcd.scope", "docker-0123abcd.scope"),
        ("/nginx.service", "nginx.service"),
        ("/init.scope", "init.scope"),
        ("/system.slice/bulkhead.socket", "bulkhead.socket"),
    ])
    func theUnitFollowsItsSlices(path: String, name: String) {
        #expect(self.unit(path: path) == name)
    }

    @Test func aProcessOutsideOfOurPartOfTheTreeHasItsUnit() {
        #expect(self.unit(path: "/../../system.slice/nginx.service") == "nginx.service")
        #expect(self.unit(path: "/../..") == nil)
    }

    @Test func whatAUserStartedIsNamedAfterTheUser() {
        let manager = "/user.slice/user-1000.slice/user@1000.service"
        #expect(self.unit(path: "\(manager)/app.slice/notes.service") == "user@1000.service/notes.service")
        #expect(self.unit(path: "\(manager)/nginx.service") == "user@1000.service/nginx.service")
        #expect(self.unit(path: "\(manager)/init.scope") == "user@1000.service/init.scope")
        #expect(self.unit(path: manager) == "user@1000.service")
        #expect(self.unit(path: "\(manager)/app.slice") == "user@1000.service")
    }

    @Test func whatAUnitMadeBelowItselfDoesNotCount() {
        #expect(self.unit(path: "/system.slice/build.service/nginx.service") == "build.service")
        #expect(self.unit(path: "/user.slice/user-7.slice/session-1.scope/nginx.service") == "session-1.scope")
        #expect(self.unit(path: "/docker/0123abcd/system.slice/nginx.service") == nil)
    }

    @Test(arguments: [
        "/", "", "/system.slice", "/docker/0123abcd", "/.service", "/system.slice/.service", "/nginx.timer",
        "/nginx.service (deleted)", "/ngin\u{1b}x.service", "/ngínx.service", "/ngi nx.service",
        "/\(String(repeating: "x", count: 248)).service",
    ])
    func whatIsNoUnitIsNone(path: String) {
        #expect(self.unit(path: path) == nil)
    }

    @Test func aNameMayHave255BytesAndColonsAndBackslashes() {
        let long = String(repeating: "x", count: 247) + ".service"
        #expect(self.unit(path: "/system.slice/\(long)") == long)
        #expect(self.unit(path: #"/system.slice/dev-a\x2db:c@1.swap"#) == #"dev-a\x2db:c@1.swap"#)
    }

    @Test func theUnderscoreThatSystemdPutsBeforeANameIsNoPartOfIt() {
        #expect(self.unit(path: "/system.slice/_cpu.service") == "cpu.service")
    }

    @Test func theOldHierarchyIsReadWhereTheNewOneSaysNothing() {
        let old = "12:pids:/system.slice\n1:name=systemd:/system.slice/old.service\n"
        #expect(self.unit(old) == "old.service")
        #expect(self.unit(old + "0::/\n") == "old.service")
        #expect(self.unit(old + "0::/system.slice/new.service\n") == "new.service")
        #expect(self.unit("3:name=other:/system.slice/other.service\n") == nil)
    }

    @Test func aLineThatIsCutIsNotRead() {
        #expect(self.unit("0::/system.slice/nginx.service") == nil)
        #expect(self.unit("1:name=systemd:/a.service\n0::/system.slice/nginx.ser") == "a.service")
        #expect(self.unit("") == nil)
        #expect(self.unit("\n\n:\n0:\n") == nil)
    }
}
