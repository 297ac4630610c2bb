import Foundation
import HTTPTypes
import HummingbirdTesting
import ManagementAPI
import NIOCore
import NIOFoundationEssentialsCompat
import OAuth
import Storage

/// Holds the Management API's answers against what its routes declare, and so against the OpenAPI document.
package struct AnswerCheck: Sendable {
    private let routes: [Route]

    /// An answer that the route's declaration does not allow for.
    package struct Mismatch: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ routes: [Route]) { self.routes = routes }

    /// - Parameter path: below `/api/v2/`, with the query.
    /// - Throws: ``Mismatch`` for a success that has a member which is not declared, lacks one that is always there, or
    ///   has one of another type.
    package func check(_ method: HTTPRequest.Method, _ path: String, _ response: TestResponse) throws {
        guard (200..<300).contains(response.status.code), let route = route(method, path) else { return }
        let place = "\(method) /api/v2/\(path)"
        if response.status == .noContent, route.answers.mayBeNothing, response.body.readableBytes == 0 { return }
        guard response.status.code == route.status else {
            throw Mismatch(description: "\(place) is declared to answer \(route.status), not \(response.status.code)")
        }
        let variants = route.answers.variants(of: route)
        guard let body = try? JSONReader.value(Data(buffer: response.body)), !variants.isEmpty else {
            guard response.body.readableBytes == 0 || route.answers.isFile else {
                throw Mismatch(description: "\(place) has a body, and none is declared")
            }
            return
        }
        let problems: [String?] = variants.map { Self.problem(body, $0) }
        guard problems.allSatisfy({ $0 != nil }) else { return }
        throw Mismatch(description: "\(place): \(problems.compactMap { $0 }.joined(separator: "; or "))")
    }

    private func route(_ method: HTTPRequest.Method, _ path: String) -> Route? {
        let parts = (path.split(separator: "?", omittingEmptySubsequences: false).first ?? "").split(separator: "/")
            .map { $0.removingPercentEncoding ?? String($0) }
        return routes.filter { $0.method.rawValue == method.rawValue && $0.path.match(parts) != nil }
            .max { $0.path.precision < $1.path.precision }
    }

    private static func problem(_ body: JSONValue, _ variant: AnswerShape.Variant) -> String? {
        switch variant {
        case .number: problem(body, .integer(0...Int.max), at: "answer")
        case .texts: problem(body, .texts, at: "answer")
        case .anyObject: problem(body, .anyObject, at: "answer")
        case .object(let members): problem(body, .object(members), at: "answer")
        case .list(let members): problem(body, .list(members), at: "answer")
        }
    }

    private static func problem(_ value: JSONValue, _ schema: DocumentSchema, at path: String) -> String? {
        switch (schema, value) {
        case (.any, _), (.anyObject, .object), (.text, .string), (.bool, .bool): return nil
        case (.integer(let range), .integer(let number)):
            return range.contains(Int(number)) ? nil : "\(path) is \(number), not in \(range)"
        case (.choice(let values), .string(let text)):
            return values.contains(text) ? nil : "\(path) is \(text), none of \(values)"
        case (.texts, .array(let elements)):
            return elements.allSatisfy { $0.string != nil } ? nil : "\(path) has more than texts"
        case (.list(let members), .array(let elements)):
            return elements.enumerated().lazy
                .compactMap { problem($0.element, .object(members), at: "\(path)[\($0.offset)]") }.first
        case (.object(let members), .object(let object)):
            return problem(object, members, at: path)
        default: return "\(path) is \(value), declared as \(schema)"
        }
    }

    private static func problem(_ object: JSONObject, _ members: Members, at path: String) -> String? {
        for (name, value) in object.sorted(by: { $0.key < $1.key }) {
            guard let member = members[name] ?? members[Members.others] else {
                return "\(path).\(name) is not declared"
            }
            if value == .null, member.isNullable { continue }
            if let problem = problem(value, member.schema, at: "\(path).\(name)") { return problem }
        }
        return members.filter { $0.value.isRequired && object[$0.key] == nil }.keys.sorted().first
            .map { "\(path).\($0) is missing" }
    }
}
