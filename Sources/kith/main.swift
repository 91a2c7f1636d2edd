import App
import ArgumentParser

struct Kith: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kith", abstract: "Referral marketing you host yourself.")
}

Kith.main()
