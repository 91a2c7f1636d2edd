import Foundation
import KithClient

// Adds leads to the queue in the folder that is named, and says the number of each when it is safe.
guard CommandLine.arguments.count == 2, let key = KithClient.Key("kith_pk_filler"), let address = URL(string: "https://nobody.invalid") else { exit(64) }
let client = try KithClient(address: address, key: key)
let queue = try EventQueue(folder: URL(fileURLWithPath: CommandLine.arguments[1]), client: client, waitingMax: 100_000)
while true {
    let event = try await queue.add(.lead(NewLead(eventName: "sign-up", customerExternalId: "c-1")))
    FileHandle.standardOutput.write(Data("\(event.id)\n".utf8))
}
