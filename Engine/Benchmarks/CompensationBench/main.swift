import Chronology
import Compensation
import Money
import PlanLanguage
import SeededRandom

#if canImport(Glibc)
import Glibc
#endif

// The commission run of `make bench`:
//
//     compensation-bench MEMBERS ORDERS THREADS [lines] [chain|star] [rounds N]
//     compensation-bench MEMBERS ORDERS csv FOLDER [chain|star]     the same facts as members.csv and orders.csv
let words = Array(CommandLine.arguments.dropFirst())
let numbers = words.compactMap(Int.init)
let memberCount = numbers.first ?? 1_000_000
let orderCount = numbers.count > 1 ? numbers[1] : memberCount * 5
let threads = numbers.count > 2 ? numbers[2] : 1
let keepsLines = words.contains("lines")
let isChain = words.contains("chain")
let isStar = words.contains("star")
let organisation = Organisation(members: memberCount, orders: orderCount, isChain: isChain, isStar: isStar)

if let place = words.firstIndex(of: "csv"), place + 1 < words.count {
    try organisation.write(words[place + 1])
    exit(0)
}

let clock = ContinuousClock()
let plan = try Plan(text: isChain || isStar ? Organisation.hardPlan : Organisation.plan)
let began = clock.now
let facts = try organisation.facts(plan)
print("facts: \(milliseconds(clock.now - began)) ms")
for round in 0..<(words.contains("once") || isChain || isStar ? 1 : 5) {
    let began = clock.now
    let result = try await run(plan, facts: facts, options: RunOptions(threads: threads, keepsLines: keepsLines))
    let took = milliseconds(clock.now - began)
    var checksum: Int64 = 0
    for member in 0..<facts.memberCount {
        let number = organisation.number(ofId: facts.memberId(member))
        checksum += (result.amountMinor(of: member) % 1_000_003) * Int64(number % 1_009 + 1)
    }
    print("round \(round): \(took) ms, lines \(result.lineCount), total \(result.totalMinor), checksum \(checksum)")
}

func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
}
