import Web

extension TextAudience {
    /// Friends, guests of parties, and members where they share inside the company's site: the pages that open in the browser's language.
    static let friends = TextAudience(
        name: "friends",
        [
            "friendPage.", "friendMissing.", "unwanted.", "partyPage.", "linkMissing.", "widget.", "shareBlock.", "embedEnded.",
            "mail.friendInvitation.", "mail.imprint", "mail.reason.stranger", "rewards.kind.", "rewards.state.", "rewards.reason.",
            "rule.reward.", "rule.tiers", "portalShare.channel.", "portalShare.message", "portalShare.disclosure", "portalRewards.refused",
            "unit.credit", "unit.points", "list.separator", "list.or", "list.semicolon", "frame.skip", "frame.descriptionForMembers",
        ])

    static let ours = [friends]

    /// The languages that friends are spoken to in.
    static let languagesOfFriends = [
        "ar", "cs", "de", "el", "en", "es", "fa", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "th", "tr", "uk", "vi",
        "zh-Hans",
    ]
}
