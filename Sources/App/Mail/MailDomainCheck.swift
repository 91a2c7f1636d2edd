import Foundation

/// What a domain's DNS says about letters in its name: SPF (RFC 7208), DKIM keys (RFC 6376), DMARC (RFC 7489), the return path.
struct MailDomainCheck: Sendable {
    /// RFC 7208, 4.6.4.
    static let lookupsMax = 10
    /// Records that are followed at most.
    static let recordsMax = 20
    /// Of an RSA key, as base64: fewer letters are less than 1024 bits.
    static let keyLettersMin = 200

    let look: @Sendable (String, DNSMessage.Kind) async -> DNSClient.Outcome

    func check(_ domain: MailDomain) async -> [MailFinding] {
        async let owner = owner(domain)
        async let spf = spf(domain)
        async let dkim = dkim(domain)
        async let dmarc = dmarc(domain)
        async let returnPath = returnPath(domain)
        return await owner + [spf, dkim, dmarc] + returnPath
    }

    private func owner(_ domain: MailDomain) async -> [MailFinding] {
        guard !domain.proof.isEmpty else { return [] }
        let answer = await look("\(MailDomain.proofLabel).\(domain.domain)", .txt)
        if let failure = answer.failure { return [MailFinding(.owner, .bad, .unanswered, failure)] }
        if answer.texts.contains(domain.proofText) { return [MailFinding(.owner, .good, .ownerFine)] }
        let texts = answer.texts.joined(separator: " | ")
        return [MailFinding(.owner, .bad, texts.isEmpty ? .ownerMissing : .ownerOther, texts)]
    }

    private func spf(_ domain: MailDomain) async -> MailFinding {
        let answer = await look(domain.domain, .txt)
        if let failure = answer.failure { return MailFinding(.spf, .bad, .unanswered, failure) }
        let records = answer.texts.filter(Self.isSPF)
        guard let record = records.first else { return MailFinding(.spf, .bad, .spfMissing) }
        guard records.count == 1 else { return MailFinding(.spf, .bad, .spfSeveral, records.joined(separator: " | ")) }
        let (lookups, included) = await follow(record)
        if !domain.spfInclude.isEmpty, !included.contains(domain.spfInclude) { return MailFinding(.spf, .bad, .spfWithoutInclude, record) }
        guard lookups <= Self.lookupsMax else { return MailFinding(.spf, .bad, .spfTooManyLookups, String(lookups)) }
        if Self.terms(record).contains(where: { $0 == "+all" || $0 == "all" }) { return MailFinding(.spf, .bad, .spfPassesAll, record) }
        return MailFinding(.spf, .good, .spfFine, record)
    }

    /// How many look-ups a receiver needs, and which names are included on the way.
    private func follow(_ record: String) async -> (lookups: Int, included: Set<String>) {
        var waiting = [record]
        var (lookups, read, included) = (0, 0, Set<String>())
        while let next = waiting.popLast(), read < Self.recordsMax {
            read += 1
            for term in Self.terms(next) {
                let plain = term.drop { "+-~?".contains($0) }
                let isPass = term == plain || term.hasPrefix("+")
                let word = plain.prefix { !":=/".contains($0) }
                guard ["include", "a", "mx", "ptr", "exists", "redirect"].contains(word) else { continue }
                lookups += 1
                guard word == "include" || word == "redirect" else { continue }
                var name = String(plain.dropFirst(word.count + 1))
                if name.hasSuffix(".") { name.removeLast() }
                // Names made of the letter itself can't be followed without one. A ring of names needs endless look-ups.
                guard !name.contains("%"), lookups <= Self.recordsMax else { continue }
                // Who is included to be refused is not let in.
                guard isPass else { continue }
                included.insert(name)
                waiting += await look(name, .txt).texts.filter(Self.isSPF).prefix(1)
            }
        }
        return (lookups, included)
    }

    private func dkim(_ domain: MailDomain) async -> MailFinding {
        guard !domain.dkimSelector.isEmpty else { return MailFinding(.dkim, .warning, .dkimUnset) }
        let answer = await look("\(domain.dkimSelector)._domainkey.\(domain.domain)", .txt)
        if let failure = answer.failure { return MailFinding(.dkim, .bad, .unanswered, failure) }
        if domain.isDKIMName, !answer.names.isEmpty, !answer.names.contains(domain.dkimValue.lowercased()) {
            return MailFinding(.dkim, .bad, .dkimOther, answer.names.joined(separator: ", "))
        }
        guard let key = answer.texts.first(where: { Self.tags($0)["p"] != nil }) else {
            let found = answer.texts.first ?? answer.names.first ?? ""
            return MailFinding(.dkim, .bad, found.isEmpty ? .dkimMissing : .dkimOther, found)
        }
        if domain.isDKIMName, answer.names.isEmpty { return MailFinding(.dkim, .bad, .dkimOther, key) }
        let tags = Self.tags(key)
        // Receivers pass over keys of other versions.
        if let version = tags["v"], version != "DKIM1" { return MailFinding(.dkim, .bad, .dkimOther, key) }
        guard let value = tags["p"], !value.isEmpty else { return MailFinding(.dkim, .bad, .dkimRevoked, key) }
        if !domain.dkimValue.isEmpty, !domain.isDKIMName, Self.tags(domain.dkimValue)["p"] != value { return MailFinding(.dkim, .bad, .dkimOther, key) }
        if tags["k"] ?? "rsa" == "rsa", value.utf8.count < Self.keyLettersMin { return MailFinding(.dkim, .bad, .dkimWeak, key) }
        return MailFinding(.dkim, .good, .dkimFine, key)
    }

    /// Of the domain itself, else of the one above it.
    private func dmarc(_ domain: MailDomain) async -> MailFinding {
        var name = Substring(domain.domain)
        while name.split(separator: ".").count >= 2 {
            let answer = await look("_dmarc.\(name)", .txt)
            if let failure = answer.failure { return MailFinding(.dmarc, .warning, .unanswered, failure) }
            let records = answer.texts.filter { $0.lowercased().hasPrefix("v=dmarc1") }
            if records.count > 1 { return MailFinding(.dmarc, .bad, .dmarcSeveral, records.joined(separator: " | ")) }
            if let record = records.first {
                switch Self.tags(record)["p"]?.lowercased() {
                case "reject", "quarantine": return MailFinding(.dmarc, .good, .dmarcFine, record)
                case "none": return MailFinding(.dmarc, .warning, .dmarcNone, record)
                default: return MailFinding(.dmarc, .bad, .dmarcBroken, record)
                }
            }
            guard let dot = name.firstIndex(of: ".") else { break }
            name = name[name.index(after: dot)...]
        }
        return MailFinding(.dmarc, .warning, .dmarcMissing)
    }

    private func returnPath(_ domain: MailDomain) async -> [MailFinding] {
        guard !domain.returnPathHost.isEmpty else { return [] }
        let answer = await look(domain.returnPathHost, .a)
        if let failure = answer.failure { return [MailFinding(.returnPath, .bad, .unanswered, failure)] }
        if answer.names.contains(domain.returnPathTarget) { return [MailFinding(.returnPath, .good, .returnPathFine, domain.returnPathTarget)] }
        let found = (answer.names + answer.addresses).joined(separator: ", ")
        return [MailFinding(.returnPath, .bad, found.isEmpty ? .returnPathMissing : .returnPathOther, found)]
    }

    private static func isSPF(_ text: String) -> Bool { text.lowercased() == "v=spf1" || text.lowercased().hasPrefix("v=spf1 ") }

    /// What a receiver reads: nothing behind "all", and no redirection beside it (RFC 7208, 5.1 and 6.1).
    private static func terms(_ record: String) -> [String] {
        let terms = record.lowercased().split(separator: " ").dropFirst().prefix(100).map(String.init)
        guard let end = terms.firstIndex(where: { $0.drop { "+-~?".contains($0) } == "all" }) else { return terms }
        return terms[...end].filter { !$0.hasPrefix("redirect=") }
    }

    /// `a=b; c=d`, without white space.
    private static func tags(_ text: String) -> [String: String] {
        var tags: [String: String] = [:]
        for part in text.split(separator: ";").prefix(50) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let name = pair[0].filter { !$0.isWhitespace }.lowercased()
            if tags[name] == nil { tags[name] = pair[1].filter { !$0.isWhitespace } }
        }
        return tags
    }
}
