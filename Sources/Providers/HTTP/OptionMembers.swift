import JSON
import Messages

extension [JSONValue.Member] {
    /// The members of a request's body, with these options after them as they are.
    ///
    /// - Parameter ownNames: What the request says itself, so that no option may.
    func added(to members: [JSONValue.Member], except ownNames: [String]) throws(RequestEnd) -> [JSONValue.Member] {
        for option in self where ownNames.contains(option.name) {
            throw .failed(
                .invalidOptions,
                "option '\(option.name)' cannot be set: the request's own fields decide it. "
                    + "Every other option goes to the provider as it is.")
        }
        return members + self
    }
}
