import Foundation
import Messages
import Testing

@testable import Configuration

@Suite("A user namespace") struct UserNamespaceTests {
    private static let whole = "         0          0 4294967295\n"

    @Test(arguments: [
        Self.whole, "0 0 4294967295", "0 100000 4294967295\n", "0 0 1000\n1000 1000 4294966295\n",
        "1000 1000 4294966295\n0 0 1000\n", "0 0 4294967295\n5 5 1\n",
    ])
    func isWholeWhereItHasEveryUser(map: String) {
        #expect(UserNamespace.isWhole(map))
    }

    @Test(arguments: [
        "", "0 0 1\n", "0 1000 1\n1 100000 65536\n", "0 0 65536\n", "1 1 4294967294\n", "0 0 4294967294\n",
        "0 0 1000\n1001 1001 4294966294\n", "0 0\n", "nonsense", "0 0 99999999999999999999\n",
    ])
    func isNotWholeOtherwise(map: String) {
        #expect(!UserNamespace.isWhole(map))
    }

    @Test func thatIsPartialIsRefusedForServingAndAWarningForACheck() throws {
        var reading = Reading()
        reading.identityMaps = [("/proc/self/uid_map", Self.whole), ("/proc/self/gid_map", Self.whole)]
        #expect(reading.problems(nil) == [])
        reading.identityMaps[1].text = "0 0 65536\n"
        let problem =
            "/proc/self/gid_map maps only some of this machine's users, so that the others could not be told apart: run "
            + "the daemon without PrivateUsers= (systemd) or outside of a rootless container, in the host's user namespace"
        #expect(reading.problems("testing: true") == ["environment: \(problem)"])
        reading.purpose = .check
        #expect(try reading.configuration("testing: true").warnings == ["b.yaml: \(problem)"])
    }

    /// The program itself, in a namespace that has one user.
    @Test(.enabled(if: Self.canUnshare, "unshare -U -r does not work here"))
    func ofOneUserIsNoPlaceToServe() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("testing: true\n")
        let arguments = ["--config", file, "--socket", "/s", "--state-directory", "/d"]
        let refused = try ProgramRun(arguments, withChannel: true, through: ["/usr/bin/unshare", "-U", "-r"])
        #expect(refused.exitCode == 1)
        guard case .refused(let problems) = try ConfigurationReply(decoding: refused.onlyFrame()) else {
            Issue.record("served")
            return
        }
        #expect(
            problems.count == 1 && problems[0].description.hasPrefix("environment: /proc/self/uid_map maps only some"))
        let checked = try ProgramRun(["--check", file], through: ["/usr/bin/unshare", "-U", "-r"])
        #expect(checked.exitCode == 0 && checked.output.contains("warning: \(file): /proc/self/uid_map maps only some"))
        let served = try ProgramRun(arguments, withChannel: true)
        #expect(served.exitCode == 0)
    }

    private static var canUnshare: Bool {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare") else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["-U", "-r", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
