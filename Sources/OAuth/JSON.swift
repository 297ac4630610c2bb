import Foundation

/// Reading and writing JSON the way every part of the server does.
package enum JSON {
    /// The text of `value`, its members in the order of their names so that equal values have equal texts.
    package static func text(_ value: some Encodable) throws -> String {
        String(decoding: try bytes(value), as: UTF8.self)
    }

    /// The text of a value, as that of any other; claims, documents and what scripts are given go this way.
    package static func text(_ value: JSONValue) throws -> String {
        String(decoding: try written(value), as: UTF8.self)
    }

    /// The text of an object, as that of any other value.
    package static func text(_ members: JSONObject) throws -> String {
        String(decoding: try written(.object(members)), as: UTF8.self)
    }

    /// The UTF-8 bytes of a value's text.
    package static func bytes(_ value: JSONValue) throws -> Data { Data(try written(value)) }

    /// The UTF-8 bytes of an object's text.
    package static func bytes(_ members: JSONObject) throws -> Data { Data(try written(.object(members))) }

    private static func written(_ value: JSONValue) throws(EncodingError) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        try writer.write(value)
        return writer.bytes
    }

    /// The UTF-8 bytes of ``text(_:)``.
    package static func bytes(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// - Throws: `DecodingError` where `text` is no JSON or does not have the shape of `type`.
    package static func decode<T: Decodable>(_ type: T.Type, from text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// - Throws: `DecodingError` where `bytes` are no JSON or do not have the shape of `type`.
    package static func decode<T: Decodable>(_ type: T.Type, from bytes: Data) throws -> T {
        try JSONDecoder().decode(type, from: bytes)
    }

    /// The members of an object that a stranger may have written, as ``JSONReader`` reads it.
    /// - Throws: ``JSONReader/Problem``, also where a member is there twice.
    package static func decode(_ type: JSONObject.Type, from text: String) throws(JSONReader.Problem) -> JSONObject {
        try JSONReader.object(text.utf8)
    }

    /// The members of an object that a stranger may have written, as ``JSONReader`` reads it.
    /// - Throws: ``JSONReader/Problem``, also where a member is there twice.
    package static func decode(_ type: JSONObject.Type, from bytes: Data) throws(JSONReader.Problem) -> JSONObject {
        try JSONReader.object(bytes)
    }
}
