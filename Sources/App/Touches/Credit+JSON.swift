import Attribution
import Chronology
import Money
import Web

extension Credit {
    /// `{status, model, shares, rejected}` of contract.md, with all that a receipt needs to say why.
    var json: JSONValue {
        var members: [JSONMember] = [JSONMember("status", .text(decision.status.code))]
        if case .unattributed(let reason) = decision.status { members.append(JSONMember("reason", .text(reason.code))) }
        members.append(JSONMember("model", decision.model.map { .text($0.rawValue) } ?? .null))
        members.append(
            JSONMember(
                "shares",
                .array(
                    decision.shares.map { share in
                        .object([
                            JSONMember("memberId", .text(share.memberID)), JSONMember("sharePpm", .integer(Int64(share.share.ppm))),
                            JSONMember("touchId", share.touchID.isEmpty ? .null : .text(share.touchID)),
                            JSONMember("reason", .text(share.reason.code)),
                        ])
                    })))
        members.append(
            JSONMember(
                "rejected",
                .array(
                    decision.rejected.map { rejection in
                        .object(
                            [JSONMember("touchId", .text(rejection.touchID)), JSONMember("reason", .text(rejection.reason.code))]
                                + rejection.reason.details)
                    })))
        return .object(members)
    }

    /// The touches that were considered, in order of time.
    var touchesJSON: JSONValue {
        .array(
            touches.sorted { ($0.at, $0.id) < ($1.at, $1.id) }.map { touch in
                .object([
                    JSONMember("touchId", .text(touch.id)), JSONMember("at", .text(touch.at.rfc3339)),
                    JSONMember("kind", .text(touch.kind.rawValue)), JSONMember("memberId", touch.memberID.map { .text($0) } ?? .null),
                    JSONMember("linkId", links[touch.id].map { .text($0.text) } ?? .null),
                ])
            })
    }
}

extension RejectionReason {
    /// The numbers and ids behind a reason.
    var details: [JSONMember] {
        switch self {
        case .repeatedTouch, .ownPurchase, .noMember, .codeNeedsReferral, .paidAdHasNoMember, .customerBound: []
        case .discarded(let reason): [JSONMember("because", .text(reason.rawValue))]
        case .otherProgram(let program): [JSONMember("programId", .text(program))]
        case .afterSale(let ms): [JSONMember("byMs", .integer(ms))]
        case .tooOld(let age, let window): [JSONMember("ageMs", .integer(age)), JSONMember("windowMs", .integer(window))]
        case .tooManyTouches(let limit): [JSONMember("limit", .integer(Int64(limit)))]
        case .standDown(let seconds, let touch): [JSONMember("seconds", .integer(seconds)), JSONMember("byTouchId", .text(touch))]
        case .outranked(let kind, let touch): [JSONMember("by", .text(kind.rawValue)), JSONMember("byTouchId", .text(touch))]
        case .notLast(let touch), .notFirst(let touch): [JSONMember("byTouchId", .text(touch))]
        case .decayed(let age, let halfLife): [JSONMember("ageMs", .integer(age)), JSONMember("halfLifeMs", .integer(halfLife))]
        }
    }
}
