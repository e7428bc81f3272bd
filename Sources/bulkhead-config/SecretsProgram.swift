import BlockingChannel
import Glibc
import Messages
import Secrets

/// Does one thing with the store of secrets for the supervisor: a frame in, a frame out.
enum SecretsProgram {
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
