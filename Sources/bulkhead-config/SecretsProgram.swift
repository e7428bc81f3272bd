import BlockingChannel
import Configuration
import Glibc
import Messages
import Secrets

/// The store of secrets: keys are looked up in it, and with `--secrets` it is worked on.
enum SecretsProgram {
    /// What the store at a place holds now, by name.
    static func lookup(_ place: SecretStorePlace, credentialsDirectory: String?) -> (String) ->
        Configuration.StoredSecret
    {
        guard !place.stateDirectory.isEmpty else { return { _ in .absent } }
        let secrets = SecretStore(
            stateDirectory: place.stateDirectory, masterKeyFile: place.masterKeyFile,
            credentialsDirectory: credentialsDirectory
        ).load()
        return { name in
            switch secrets[name] {
            case .absent: .absent
            case .value(let value): .value(value)
            case .unusable(let reason): .unusable(reason)
            }
        }
    }

    /// Does one thing for the supervisor: a frame in, a frame out.
    static func run(on descriptor: CInt, stateDirectory: String, masterKeyFile: String?, credentialsDirectory: String?)
        -> Program.ExitCode
    {
        var channel = BlockingChannel(
            adopting: descriptor, maximumPayloadLength: ProtocolBounds.configurationFrame)
        do throws(ChannelError) {
            // Without a frame the supervisor is gone.
            guard let payload = try channel.read() else { return .inputOutput }
            let reply = Self.reply(
                to: payload,
                SecretStore(
                    stateDirectory: stateDirectory, masterKeyFile: masterKeyFile,
                    credentialsDirectory: credentialsDirectory))
            try channel.write(reply.encoded)
            return .success
        } catch {
            return .inputOutput
        }
    }

    private static func reply(to payload: [UInt8], _ store: SecretStore) -> SecretsReply {
        do throws(MessageError) {
            let action = try SecretsAction(decoding: payload)
            do throws(Failure) { return .done(try store.perform(action)) } catch { return .error(error) }
        } catch {
            return .error(Failure(.invalidRequest, "\(error)"))
        }
    }
}
