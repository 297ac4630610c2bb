import Foundation
import OAuth

/// Reads the body of a request: JSON and nothing else.
enum RequestBody {
    /// No resource is larger; what is imported in bulk goes another way.
    static let mostBytes = 1 << 20

    /// - Parameter isOptional: whether an empty body is read as null.
    /// - Throws: ``ManagementError`` 400, 413 or 415.
    static func value(
        of request: ManagementRequest, isOptional: Bool = false
    ) async throws(ManagementError) -> JSONValue {
        let bytes: Data
        do {
            bytes = try await request.body(mostBytes)
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge(most: mostBytes)
            case .incomplete: throw .malformedBody("The body ended before its announced length")
            }
        }
        if isOptional, bytes.isEmpty { return .null }
        guard request.contentType == "application/json" else { throw .unsupportedMediaType(request.contentType) }
        let value: JSONValue
        do {
            value = try JSONReader.value(bytes)
        } catch {
            switch error {
            case .tooDeep: throw .malformedBody("The body has more than \(JSONReader.deepest) levels")
            case .duplicate(let name): throw .malformedBody("The body has the member '\(name.forDisplay)' twice")
            case .malformed: throw .malformedBody("Invalid request payload JSON format")
            }
        }
        guard !value.holdsNUL else { throw .malformedBody("A text of the body has the character NUL") }
        return value
    }
}
