import HTTPTypes
import Synchronization
import Web

/// The methods that addresses know, for 405: filled when all routes are there.
final class AllowedMethods: Sendable {
    private let table = Mutex<OperationTable<Access>?>(nil)

    func set(_ complete: OperationTable<Access>) { table.withLock { $0 = complete } }
    func methods(at path: String) -> [HTTPRequest.Method] { table.withLock { $0?.allowedMethods(at: path) ?? [] } }
}
