/// Why files could not be read or written; names the file, and where it applies the line and column.
public struct FileFailure: Error, Hashable, Sendable {
    public let path: String
    /// From 1, the header is line 1; 0: the file as a whole.
    public let line: Int
    /// The column's name; empty: the line as a whole.
    public let column: String
    /// One English clause without a full stop.
    public let message: String

    public init(path: String, line: Int = 0, column: String = "", message: String) {
        self.path = path
        self.line = line
        self.column = column
        self.message = message
    }
}

extension FileFailure: CustomStringConvertible {
    public var description: String {
        var text = path
        if line > 0 { text += " line \(line)" }
        if !column.isEmpty { text += ", column \(column)" }
        return text + ": " + message
    }
}
