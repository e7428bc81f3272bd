import Configuration
import Messages
import Testing

/// The field `callers`.
@Suite("A caller") struct CallerTests {
    @Test func isUsersAndGroupsWithRights() throws {
        let yaml = """
            purposes: {chat: {}}
            callers:
              datasette: {user: datasette, purposes: [chat], models: [echo], may_name_actor: true, max_connections: 8,
                          max_requests: 32}
              operators: {user: [0, "33", 4294967294], group: [bulkhead-admin, 998], administrator: true}
              everyone: {default: true, models: [echo]}
            """
        let configuration = try Reading().configuration(yaml)
        #expect(
            configuration.policy.callers == [
                CallerSettings(
                    name: "datasette", users: [990], purposes: ["chat"], models: ["echo"], mayNameActor: true,
                    maximumConnections: 8, maximumRequests: 32),
                CallerSettings(
                    name: "operators", users: [0, 33, 4_294_967_294], groups: [997, 998], isAdministrator: true),
                CallerSettings(name: "everyone", isDefault: true, models: ["echo"]),
            ])
        #expect(configuration.warnings == [])
    }

    @Test(arguments: [
        (
            "{}",
            "1:10: field 'callers': name at least one caller, or remove the field: then everybody who can open the socket may do all"
        ),
        (
            "{a: {}}",
            "1:11: the caller 'a' is nobody: give it a 'user', a 'group' or 'default: true'"
        ),
        (
            "{a: {user: datasete}}",
            "1:21: field 'callers.a.user': there is no user 'datasete' on this machine; create it (useradd) or name another"
        ),
        (
            "{a: {group: [bulkhead, wheel]}}",
            "1:33: field 'callers.a.group[1]': there is no user group 'wheel' on this machine; create it (groupadd) or name another"
        ),
        ("{a: {user: -1}}", "1:21: field 'callers.a.user': must be from 0 to 4294967294"),
        ("{a: {user: []}}", "1:21: field 'callers.a.user': name at least one user, or remove the field"),
        (
            "{a: {user: {name: x}}}",
            "1:21: field 'callers.a.user': expected the name or number of a user, found a mapping"
        ),
        (
            "{a: {user: datasette}, b: {user: [1, 990]}}",
            "1:47: field 'callers.b.user[1]': the caller 'a' has the user 990 already (line 1, column 21)"
        ),
        (
            "{a: {user: [1, 1]}}",
            "1:25: field 'callers.a.user[1]': this caller has the user 1 already (line 1, column 22)"
        ),
        (
            "{a: {group: 5}, b: {group: 5}}",
            "1:37: field 'callers.b.group': the caller 'a' has the user group 5 already (line 1, column 22)"
        ),
        (
            "{a: {default: true}, b: {default: true}}",
            "1:31: there is a caller with 'default: true' already (line 1, column 11): only one can be everybody else"
        ),
        ("{a b: {user: 1}}", "1:11: 'a b' is no name for a caller: use 1 to 64 of a-z, A-Z, 0-9, '_', '-' and '.'"),
        (
            "{a: {user: 1, max_requests: 0}}",
            "1:38: field 'callers.a.max_requests': must be from 1 to 1048576"
        ),
        ("{a: {user: 1, admin: true}}", "1:24: unknown field 'admin'; the fields here are "),
        (
            "{a: {user: 1, purposes: ['a b']}}",
            "1:35: field 'callers.a.purposes[0]': 'a b' is no name for a purpose: use 1 to 64 of"
        ),
        (
            "[a]",
            "1:10: field 'callers': expected a mapping of names and callers, such as {web: {user: www-data}}, found a list"
        ),
    ])
    func isRefusedWithFileAndLine(yaml: String, problem: String) {
        let problems = Reading().problems("callers: " + yaml)
        #expect(problems.count == 1 && problems[0].hasPrefix("b.yaml:" + problem), "\(problems)")
    }

    @Test(arguments: [
        (
            "purposes: [chatt]",
            "field 'callers.a.purposes[0]': no purpose 'chatt' is configured, so that it has no rules of its own; did you mean 'chat'?"
        ),
        ("purposes: []", "field 'callers.a.purposes': the list is empty, so that this caller may ask for nothing"),
        ("models: []", "field 'callers.a.models': the list is empty, so that this caller may ask no model"),
        ("models: [ecko]", "field 'callers.a.models[0]': no provider serves the model 'ecko'; did you mean 'echo'?"),
    ])
    func isWarnedOf(field: String, warning: String) throws {
        let configuration = try Reading().configuration("purposes: {chat: {}}\ncallers: {a: {user: 1, \(field)}}")
        #expect(configuration.warnings.count == 1 && configuration.warnings[0].hasSuffix(warning))
    }

    @Test func isNamedAsThisMachineKnowsIt() throws {
        #expect(SystemUsers.userID("root") == 0 && SystemUsers.userID("nobody-of-this-name") == nil)
        #expect(SystemUsers.homeDirectory(0) == "/root" && SystemUsers.homeDirectory(4_000_000_000) == nil)
        #expect(SystemGroups.groupID("root") == 0 && SystemGroups.groupID("nobody-of-this-name") == nil)
        let directory = try TemporaryDirectory()
        let known = try ProgramRun(["--check", try directory.write("callers: {a: {user: root, group: root}}\n")])
        #expect(known.exitCode == 0 && known.output.contains("\ncaller a: user 0; group 0\n"))
        #expect(known.output.contains("\nall other users are refused; root and the daemon's own user may do all"))
        let unknown = try ProgramRun(["--check", try directory.write("callers: {a: {user: nobody-of-this-name}}\n")])
        #expect(
            unknown.exitCode == 1 && unknown.errors.contains("there is no user 'nobody-of-this-name' on this machine"))
    }

    @Test func isBounded() {
        let callers = (0...256).map { "c\($0): {user: \($0)}" }.joined(separator: ", ")
        #expect(
            Reading().problems("callers: {\(callers)}") == [
                "b.yaml:1:10: field 'callers': has 257 callers; at most 256 are possible"
            ])
        let users = (0...64).map { "\($0)" }.joined(separator: ", ")
        #expect(
            Reading().problems("callers: {a: {user: [\(users)]}}").first
                == "b.yaml:1:21: field 'callers.a.user': a list of at most 64 users, but it has 65")
    }
}

/// The field `hooks`.
@Suite("A hook") struct HookTests {
    @Test func isAProgramWithEvents() throws {
        let yaml = """
            hooks:
              - {name: pii, command: [/usr/local/lib/pii.py, --strict, ""], events: [before_prompt, group_exit],
                 timeout: 250ms, on_failure: closed}
              - {name: other, command: [/usr/bin/other], events: [filter_models]}
            """
        let configuration = try Reading().configuration(yaml)
        #expect(
            configuration.hooks == [
                HookSettings(
                    name: "pii", command: ["/usr/local/lib/pii.py", "--strict", ""],
                    events: [.beforePrompt, .groupExit], timeoutMilliseconds: 250, isClosed: true),
                HookSettings(name: "other", command: ["/usr/bin/other"], events: [.filterModels]),
            ])
        #expect(configuration.hooks[1].timeoutMilliseconds == 5_000 && !configuration.hooks[1].isClosed)
        #expect(configuration.warnings == [])
        #expect(
            try Reading().configuration("hooks: [{name: a, command: [/opt/a], events: [group_exit]}]").warnings
                == ["b.yaml:1:29: field 'hooks[0].command[0]': there is no program at '/opt/a' that this user can run"])
    }

    @Test(arguments: [
        ("{}", "field 'hooks': expected a list of hooks, found a mapping"),
        ("[pii]", "field 'hooks[0]': expected a mapping such as {name: pii, command: [/usr/local/lib/pii.py],"),
        ("[{command: [/usr/a], events: [group_exit]}]", "field 'hooks[0]': a hook needs 'name'"),
        ("[{name: a, events: [group_exit]}]", "field 'hooks[0]': a hook needs 'command'"),
        ("[{name: a, command: [/usr/a]}]", "field 'hooks[0]': a hook needs 'events'"),
        (
            "[{name: a b, command: [/usr/a], events: [group_exit]}]",
            "field 'hooks[0].name': 'a b' is no name for a hook"
        ),
        (
            "[{name: a, command: /usr/a, events: [group_exit]}]",
            "field 'hooks[0].command': write the program and its arguments as a list, such as"
        ),
        (
            "[{name: a, command: [], events: [group_exit]}]",
            "field 'hooks[0].command': name the program, by an absolute path"
        ),
        (
            "[{name: a, command: [pii.py], events: [group_exit]}]",
            "field 'hooks[0].command[0]': the path of the program must be absolute: begin it with '/'"
        ),
        (
            "[{name: a, command: [/usr/a, 3], events: [group_exit]}]",
            "field 'hooks[0].command[1]': expected a word of the command, found an integer; quote it"
        ),
        ("[{name: a, command: [/usr/a], events: []}]", "field 'hooks[0].events': name at least one of filter_models,"),
        (
            "[{name: a, command: [/usr/a], events: [before_promt]}]",
            "field 'hooks[0].events[0]': 'before_promt' is not one of filter_models, default_model, before_prompt, "
                + "after_response, group_exit; did you mean 'before_prompt'?"
        ),
        (
            "[{name: a, command: [/usr/a], events: [group_exit, group_exit]}]",
            "field 'hooks[0].events[1]': the event 'group_exit' stands in this list already"
        ),
        (
            "[{name: a, command: [/usr/a], events: [group_exit], timeout: 2m}]",
            "field 'hooks[0].timeout': must be from 1ms to 1m"
        ),
        (
            "[{name: a, command: [/usr/a], events: [group_exit], on_failure: close}]",
            "field 'hooks[0].on_failure': 'close' is not one of open, closed; did you mean 'closed'?"
        ),
        (
            "[{name: a, command: [/usr/a], events: [group_exit]}, {name: a, command: [/usr/b], events: [group_exit]}]",
            "field 'hooks[1]': there is a hook 'a' already"
        ),
    ])
    func isRefusedWithFileAndLine(yaml: String, problem: String) {
        let problems = Reading().problems("hooks: " + yaml)
        #expect(problems.count == 1 && problems[0].contains(": " + problem), "\(problems)")
    }

    @Test func isBounded() {
        let hooks = (0...16).map { "{name: h\($0), command: [/usr/a], events: [group_exit]}" }.joined(separator: ", ")
        #expect(
            Reading().problems("hooks: [\(hooks)]") == [
                "b.yaml:1:8: field 'hooks': a list of at most 16 hooks, but it has 17"
            ])
    }
}
