import Chronology
import Money
import Persistence
import Rules
import Web

extension Reward {
    /// Moves on what is due. Answers how many were looked at.
    static func advanceDue(limit: Int = dueMax, in write: Write) throws -> Int {
        let due = try RewardStore.due(in: write.workspace.id, at: write.now, limit: limit, on: write.connection)
        for reward in due {
            do {
                try write.connection.savepoint { try reward.advance(in: write) }
            } catch {
                guard Refusal.of(error) != nil else { throw error }
                var later = reward
                later.dueAt = try write.now.adding(milliseconds: postponedMs)
                try RewardStore.update(later, on: write.connection)
            }
        }
        return due.count
    }

    /// Past its hold: its receiver chooses, or it is given.
    private func advance(in write: Write) throws {
        switch try receiver(in: write) {
        case .open: break
        case .gone:
            _ = try refuse("receiverErased", in: write)
            return
        case .barred:
            var held = self
            (held.state, held.reason, held.dueAt) = (.held, "receiverNotActive", nil)
            return try RewardStore.update(held, on: write.connection)
        }
        if state == .checking { return try ask(in: write) }
        guard state == .pending else { return }
        if !choices.value.elements.isEmpty {
            var waiting = self
            waiting.state = .choosing
            waiting.dueAt = nil
            try RewardStore.update(waiting, on: write.connection)
            try waiting.tell(.rewardChoosing, from: state, in: write)
            return try waiting.offerChoice(in: write)
        }
        if isChecked { return try ask(in: write) }
        _ = try issue(in: write)
    }

    private enum Receiver { case open, barred, gone }

    /// Whether who gets it may still have it: on the friend's side the friend, whatever became of who brought them.
    private func receiver(in write: Write) throws -> Receiver {
        let connection = write.connection
        var member: MemberID? = memberID
        if side == .friend {
            guard let customerID, let customer = try CustomerStore.find(customerID, in: workspaceID, on: connection) else { return .gone }
            guard try PersonStore.key(of: customer.personID, vault: write.vault, on: connection) != nil else { return .gone }
            member = try CustomerMemberStore.member(of: customerID, on: connection)
        }
        guard let member = try member.map({ try MemberMergeStore.kept(of: $0, on: connection) }),
            let found = try MemberStore.find(member, in: workspaceID, on: connection)
        else { return .open }
        if found.status == .erased { return .gone }
        return found.mayBePaid ? .open : .barred
    }

    /// Asks the company by its webhooks whether it may be given: it answers by giving or refusing it. Without an answer it is asked again each
    /// day for a week, and stays as it is then.
    private func ask(in write: Write) throws {
        var reward = self
        guard checks < Self.checksMax else {
            reward.dueAt = nil
            return try RewardStore.update(reward, on: write.connection)
        }
        reward.state = .checking
        reward.reason = checks > 0 ? "companySilent" : nil
        reward.checks += 1
        reward.dueAt = try write.now.adding(milliseconds: Self.postponedMs)
        try RewardStore.update(reward, on: write.connection)
        try reward.tell(.rewardChecking, from: state, in: write)
    }

    /// Gives it: a coupon becomes a code; of everything else subscribers are told, and do the rest.
    func issue(in write: Write) throws -> Reward {
        var reward = self
        reward.dueAt = nil
        if kind == "coupon" {
            let coupon = try CouponStore.find(CouponID(stored: terms.value["couponId"]?.string ?? ""), in: workspaceID, on: write.connection)
            guard let coupon, coupon.state == .active else { return try refuse("couponEnded", in: write) }
            let code = try coupon.issue(
                side == .friend ? NewCode(memberID: memberID, customerID: customerID) : NewCode(), in: write)
            reward.couponCodeID = code.id
        }
        if let order { try payIn(order, in: write) }
        reward.state = .issued
        reward.reason = nil
        reward.issuedAt = write.now
        try RewardStore.update(reward, on: write.connection)
        try reward.tell(.rewardIssued, from: state, in: write)
        try reward.sendLetter(in: write)
        return reward
    }

    /// Tells who may choose, with the way to their pages; a friend has such pages from then on.
    private func offerChoice(in write: Write) throws {
        guard let program = try ProgramStore.find(programID, in: workspaceID, at: write.now, on: write.connection) else { return }
        let member =
            side == .friend
            ? try customerID.flatMap { try FriendAccount.choosing($0, enroller: memberID, program: program, in: write) }
            : try MemberStore.find(MemberMergeStore.kept(of: memberID, on: write.connection), in: workspaceID, on: write.connection)
        guard let member, member.status == .active else { return }
        let kinds = JSONText(.array([terms.value] + choices.value.elements)).text
        try Mail.queue(.rewardChoice(program: program.name, kinds: kinds), to: .person(member.personID), locale: member.locale, in: write)
    }

    /// Tells whoever got it, if they have a mail address and want such letters.
    private func sendLetter(in write: Write) throws {
        guard let program = try ProgramStore.find(programID, in: workspaceID, at: write.now, on: write.connection) else { return }
        let member = try MemberStore.find(MemberMergeStore.kept(of: memberID, on: write.connection), in: workspaceID, on: write.connection)
        let customer = side == .friend ? try customerID.flatMap { try CustomerStore.find($0, in: workspaceID, on: write.connection) } : nil
        let person = side == .friend ? customer?.personID : member?.status == .active ? member?.personID : nil
        guard let person else { return }
        let code = try couponCodeID.flatMap { try CouponCodeStore.texts(of: [$0], on: write.connection)[$0] }
        try Mail.queue(
            .rewardGiven(program: program.name, terms: terms.text, code: code, hasPages: side == .member), to: .person(person),
            locale: side == .member ? member?.locale : nil, in: write)
    }

    /// Gives it by hand, before its hold is over or after the company said no.
    static func issue(_ id: RewardID, in write: Write) throws -> Reward {
        let reward = try find(id, in: write)
        guard [.pending, .choosing, .checking, .held].contains(reward.state) else { throw reward.notNow("issued", "pending, waiting or held") }
        if try reward.receiver(in: write) == .gone {
            throw Problem.conflict(code: "receiver_erased", detail: "Whoever would get it was erased. Refuse it.")
        }
        let issued = try reward.issue(in: write)
        try write.audit("reward.issue", subject: id.text)
        return issued
    }

    /// The receiver takes one of the kinds on offer.
    static func choose(_ id: RewardID, _ choice: Int, in write: Write) throws -> Reward {
        var reward = try find(id, in: write)
        guard reward.state == .choosing else { throw reward.notNow("chosen", "waiting for a choice") }
        let all = [reward.terms.value] + reward.choices.value.elements
        guard all.indices.contains(choice) else { throw Refusal.field("choice", "Must be 0 to \(all.count - 1).") }
        let chosen = try (try? JSONReader(all[choice])).flatMap { RewardTerms.read($0) }.flatMap { try Reward.worth($0, in: write) }
        // Rewards that were granted when only the first kind was counted may not grow by their choice.
        guard (chosen ?? 0) <= (reward.valueMinor ?? 0) else {
            throw Problem.conflict(code: "choice_too_dear", detail: "This kind is worth more than was kept for the reward. Choose another one.")
        }
        let rest = (reward.valueMinor ?? 0) - (chosen ?? 0)
        if rest > 0 { try reward.giveBack(rest, count: 0, in: write) }
        reward.valueMinor = chosen
        reward.terms = JSONText(all[choice])
        reward.choices = JSONText(text: "[]")
        try write.audit("reward.choose", subject: id.text, JSONText(["choice": .integer(Int64(choice))]))
        guard reward.isChecked else { return try reward.issue(in: write) }
        try reward.ask(in: write)
        return try find(id, in: write)
    }

    /// It was used: a gift was handed over, free months were booked.
    static func redeem(_ id: RewardID, in write: Write) throws -> Reward {
        let reward = try find(id, in: write)
        guard reward.state == .issued else { throw reward.notNow("redeemed", "issued") }
        let redeemed = try reward.redeemed(in: write)
        try write.audit("reward.redeem", subject: id.text)
        return redeemed
    }

    func redeemed(in write: Write) throws -> Reward {
        var reward = self
        reward.state = .redeemed
        reward.endedAt = write.now
        reward.dueAt = nil
        try RewardStore.update(reward, on: write.connection)
        try reward.tell(.rewardRedeemed, from: state, in: write)
        return reward
    }

    /// A person, or the company's own program, says no.
    static func refuse(_ id: RewardID, reason: String, in write: Write) throws -> Reward {
        let reward = try find(id, in: write)
        guard [.pending, .choosing, .checking, .held].contains(reward.state) else { throw reward.notNow("refused", "pending, waiting or held") }
        let refused = try reward.refuse(reason, in: write)
        try write.audit("reward.refuse", subject: id.text)
        return refused
    }

    func refuse(_ reason: String, in write: Write) throws -> Reward {
        var reward = self
        reward.state = .refused
        reward.reason = reason
        reward.endedAt = write.now
        reward.dueAt = nil
        try RewardStore.update(reward, on: write.connection)
        try giveBackCap(in: write)
        return reward
    }

    /// What was given is taken back by hand.
    func reverse(_ reason: String, in write: Write) throws {
        var reversed = self
        (reversed.state, reversed.reason, reversed.endedAt, reversed.dueAt) = (.reversed, reason, write.now, nil)
        try RewardStore.update(reversed, on: write.connection)
        try giveBackCap(in: write)
        try reversed.tell(.rewardReversed, from: state, in: write)
    }

    /// Its code was not used up in time. Of a budget it gives back what it never cost; in a cap it keeps its place, for it was given.
    func expire(wasUsed: Bool, in write: Write) throws {
        var expired = self
        (expired.state, expired.reason, expired.endedAt, expired.dueAt) = (.expired, "codeExpired", write.now, nil)
        try RewardStore.update(expired, on: write.connection)
        if !wasUsed { try ProgramBudget.giveBack(valueMinor ?? 0, of: id.text, program: programID, on: write.connection) }
    }

    /// A sale that came back as a whole takes its rewards with it. What was used already stays used; what a part of a sale came back for
    /// stays, for a gift cannot be halved.
    static func reverse(for sale: Sale, in write: Write) throws {
        guard sale.refundedMinor == sale.amountMinor else { return }
        for reward in try RewardStore.of(sale: sale.id, on: write.connection) where !reward.isOver {
            if let code = reward.couponCodeID { try CouponCode.void(code, in: write) }
            if reward.state == .issued, let order = reward.order { try reward.takeOut(order, in: write) }
            try reward.reverse("refunded", in: write)
        }
    }

    private static func find(_ id: RewardID, in write: Write) throws -> Reward {
        guard let reward = try RewardStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("reward") }
        return reward
    }

    private func notNow(_ verb: String, _ allowed: String) -> Problem {
        Problem.conflict(code: "reward_\(state.rawValue)", detail: "The reward is \(state.rawValue); only one that is \(allowed) can be \(verb).")
    }

    private func tell(_ type: EventType, from before: State, in write: Write) throws {
        try write.emit(
            type, subject: id.text,
            JSONText([
                "rewardId": .text(id.text), "commissionId": .null, "side": .text(side.rawValue), "memberId": .text(memberID.text),
                "customerId": customerID.map { .text($0.text) } ?? .null, "programId": .text(programID.text),
                "saleId": saleID.map { .text($0.text) } ?? .null, "kind": .text(kind), "amount": valueMinor.map { .integer($0) } ?? .null,
                "unit": valueMinor == nil ? .null : .text(unit.code),
            ]), changes: .state(before.rawValue, state.rawValue))
    }
}
