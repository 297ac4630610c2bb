import Foundation
import OAuth
import Storage

/// A request with `multipart/form-data`: a file, which may be large, and fields before or behind it.
package struct Form<Fields: Payload>: Sendable {
    package let caller: Caller
    /// The name of the part that is the file.
    private let file: String

    init(_ parts: RequestParts, file: String) {
        caller = Caller(
            principal: parts.principal, operation: parts.route.summary, status: parts.route.status,
            request: parts.request)
        self.file = file
    }

    /// Bytes that all fields together may take.
    private static var mostFieldBytes: Int { 64 * 1024 }

    /// Reads the form.
    /// - Parameters:
    ///   - most: bytes that the file may have.
    ///   - take: gets the file, piece by piece.
    /// - Returns: the fields.
    /// - Throws: ``ManagementError``, or what `take` throws.
    package func receive(most: Int, take: (Data) async throws -> Void) async throws -> Fields {
        let request = caller.request
        guard request.contentType == "multipart/form-data" else {
            throw ManagementError.unsupportedMediaType(request.contentType, expected: "multipart/form-data")
        }
        var form = FormParts(file: file, mostFileBytes: most, mostFieldBytes: Self.mostFieldBytes)
        do {
            var reader = try MultipartReader(contentType: request.contentTypeHeader)
            try await request.pieces { piece in
                for event in try reader.feed(piece) {
                    if let bytes = try form.take(event) { try await take(bytes) }
                }
            }
            try reader.finish()
        } catch let problem as MultipartReader.Problem {
            throw ManagementError.malformedBody(problem.message)
        } catch is ManagementRequest.BodyProblem {
            throw ManagementError.malformedBody("The body ended before its announced length")
        }
        return try form.fields(as: Fields.self)
    }
}

/// The parts of a form as they come in.
private struct FormParts {
    let file: String
    let mostFileBytes: Int
    let mostFieldBytes: Int
    private var texts: [String: Data] = [:]
    private var present: String?
    private var (fileBytes, fieldBytes) = (0, 0)
    private var hasFile = false

    init(file: String, mostFileBytes: Int, mostFieldBytes: Int) {
        (self.file, self.mostFileBytes, self.mostFieldBytes) = (file, mostFileBytes, mostFieldBytes)
    }

    /// - Returns: what belongs to the file.
    mutating func take(_ event: MultipartReader.Event) throws(ManagementError) -> Data? {
        switch event {
        case .part(let name):
            guard name == file ? !hasFile : texts[name] == nil else {
                throw .malformedBody("The form has the part '\(name.forDisplay)' twice")
            }
            guard texts.count < 32 else { throw .malformedBody("The form has more than 32 parts") }
            present = name
            if name == file { hasFile = true } else { texts[name] = Data() }
            return nil
        case .bytes(let bytes) where present == file:
            fileBytes += bytes.count
            guard fileBytes <= mostFileBytes else { throw .tooLarge(most: mostFileBytes) }
            return bytes
        case .bytes(let bytes):
            fieldBytes += bytes.count
            guard fieldBytes <= mostFieldBytes else { throw .tooLarge(most: mostFieldBytes) }
            if let present { texts[present]?.append(bytes) }
            return nil
        }
    }

    func fields<Fields: Payload>(as type: Fields.Type) throws(ManagementError) -> Fields {
        var members: JSONObject = [:]
        for (name, bytes) in texts {
            guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
                throw .malformedBody("The field '\(name.forDisplay)' is not UTF-8, or has the character NUL")
            }
            members[name] = .string(text)
        }
        guard hasFile else { throw .invalidBody(Document.Problem(path: file, message: "is required")) }
        guard fileBytes > 0 else { throw .invalidBody(Document.Problem(path: file, message: "must not be empty")) }
        return try Fields.read(form: members)
    }
}
