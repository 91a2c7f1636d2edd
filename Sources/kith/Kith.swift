import App
import ArgumentParser

@main
struct Kith: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kith", abstract: "Referral marketing that you host yourself.", subcommands: KithCommands.all)
}


