import Linux
import Logging

extension PodNetwork {
    /// The default network's ranges on this host, the primary one first.
    func ranges() async throws(NetworkError) -> [Subnet] {
        guard var ranges = Subnet.list(podCIDR) else {
            throw NetworkError(
                .configuration,
                reason: "pod CIDR '\(podCIDR)' is no range like 10.88.0.0/16, nor one of each family with a comma")
        }
        if podCIDR == configuration.podCIDR, ranges.count == 1, ranges[0].family == .ipv4,
            let second = configuration.podCIDR6.flatMap({ Subnet($0) }), await hasIPv6()
        {
            ranges.append(second)
        }
        return ranges
    }

    private func hasIPv6() async -> Bool {
        guard HostIPv6.isThere else { return false }
        if let ipv6Works { return ipv6Works }
        let works = await firewall(.ipv6).works()
        ipv6Works = works
        return works
    }

    /// Gives the default network other ranges: one, or one of each family with a comma between them, the primary one first.
    ///
    /// They count at once if no pod has an address of the present ones; else as soon as the last of these is gone. A network
    /// that an administrator wrote isn't touched: its addresses are its own affair.
    ///
    /// - Throws: `NetworkError` for what is no range.
    public func use(podCIDR text: String) async throws(NetworkError) {
        guard !text.isEmpty else { return }
        guard Subnet.list(text) != nil else {
            throw NetworkError(
                .configuration,
                reason: "pod CIDR '\(text)' is no range like 10.88.0.0/16, nor one of each family with a comma")
        }
        if text == podCIDR {
            wishedPodCIDR = nil
            return
        }
        wishedPodCIDR = text
        try await changeRanges()
        if wishedPodCIDR != nil {
            logger.notice(
                "the pods' addresses change once no pod has one of the present range",
                metadata: ["from": "\(podCIDR)", "to": "\(text)"])
        }
    }

    /// Changes to the wished ranges, if there are any and no pod is in the way.
    func changeRanges() async throws(NetworkError) {
        guard wishedPodCIDR != nil, try isFree() else { return }
        await alone { await self.changeRangesAlone() }
    }

    private func isFree() throws(NetworkError) -> Bool { try !store.all().contains(where: \.list.isStandard) }

    private func changeRangesAlone() async {
        do {
            guard let wish = wishedPodCIDR, try isFree() else { return }
            (podCIDR, wishedPodCIDR, rulesSeen) = (wish, nil, nil)
            try GivenRanges.write(wish, configuration)
            for family in Subnet.Family.allCases { try await firewall(family).remove() }
            // Its gateway's address is of the old range.
            try Bridge.remove(configuration.bridge)
            logger.info("the pods' addresses have changed", metadata: ["to": "\(wish)"])
        } catch {
            logger.warning("the old pod network is not all gone", metadata: ["reason": "\(error)"])
        }
    }
}
