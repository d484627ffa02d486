import Linux
import Logging

extension PodNetwork {
    /// How long a look at the rules counts while pods come and go; the node's status looks each time.
    private static let rulesStayFor = Duration.seconds(5)

    /// Looks after the default network's rules unless somebody just did, one look for all who ask meanwhile. Gives the reason
    /// if it can't.
    func keepRules(_ ranges: [Subnet], evenIfJustSeen: Bool = false) -> Task<String?, Never>? {
        if let rulesInPlace { return rulesInPlace }
        if !evenIfJustSeen, let rulesSeen, ContinuousClock.now - rulesSeen < PodNetwork.rulesStayFor { return nil }
        let task = Task { () -> String? in
            var failure: String?
            for range in ranges {
                do throws(NetworkError) {
                    try await firewall(range.family).ensure(range)
                } catch {
                    failure = failure ?? error.reason
                }
            }
            rulesInPlace = nil
            rulesSeen = failure == nil ? .now : nil
            return failure
        }
        rulesInPlace = task
        return task
    }

    /// Pods work among themselves without the rules; their way to the world doesn't.
    func sayOnce(_ failure: String?, pod: String) {
        guard let failure else {
            saidThatRulesFail = false
            return
        }
        if saidThatRulesFail { return }
        saidThatRulesFail = true
        logger.warning("pods can't reach beyond this host", metadata: ["pod": "\(pod)", "error": "\(failure)"])
    }
}
