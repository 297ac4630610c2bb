import OAuth

/// What the API answers.
package struct Answer: Sendable {
    package var status: Int
    package var body: JSONValue?
    /// Further headers, such as `Link`.
    package var headers: [(name: String, value: String)] = []

    package init(status: Int, body: JSONValue? = nil) { (self.status, self.body) = (status, body) }

    /// 200 with what was asked for.
    package static func ok(_ members: JSONObject) -> Answer { Answer(status: 200, body: .object(members)) }
    /// 200 with a list.
    package static func ok(_ list: [JSONObject]) -> Answer {
        Answer(status: 200, body: .array(list.map(JSONValue.object)))
    }
    /// 201 with what was made.
    package static func created(_ members: JSONObject) -> Answer { Answer(status: 201, body: .object(members)) }
    /// 202.
    package static let accepted = Answer(status: 202)
    /// 204.
    package static let noContent = Answer(status: 204)

    /// A page of a list: its elements alone, or with `include_totals` an object that has them under `name`.
    package static func page(_ name: String, _ elements: [JSONObject], total: Int, _ paging: Paging) -> Answer {
        guard paging.includesTotals else { return .ok(elements) }
        return .ok([
            "start": .integer(Int64(paging.start)), "limit": .integer(Int64(paging.perPage)),
            "total": .integer(Int64(total)), name: .array(elements.map(JSONValue.object)),
        ])
    }

    /// The part of a whole list, in the order of its elements, that `paging` asks for.
    /// - Parameter id: tells an element from the others; the list goes on behind the one that a checkpoint names.
    package static func list(
        _ name: String, _ all: [JSONObject], by id: String, _ paging: Paging, _ show: (JSONObject) -> JSONObject
    ) -> Answer {
        guard let checkpoint = paging.checkpoint else {
            return page(name, paging.part(of: all).map(show), total: all.count, paging)
        }
        return self.checkpoint(name, all, by: id, checkpoint, show)
    }

    /// As ``list(_:_:by:_:_:)`` where Auth0 has no pages: the answer is an object in any case.
    package static func checkpoint(
        _ name: String, _ all: [JSONObject], by id: String, _ paging: Paging, _ show: (JSONObject) -> JSONObject
    ) -> Answer {
        let start = Paging.Checkpoint(from: nil, take: paging.perPage)
        return checkpoint(name, all, by: id, paging.checkpoint ?? start, show)
    }

    private static func checkpoint(
        _ name: String, _ all: [JSONObject], by id: String, _ checkpoint: Paging.Checkpoint,
        _ show: (JSONObject) -> JSONObject
    ) -> Answer {
        let start =
            checkpoint.from.map { from in (all.firstIndex { $0[id]?.string == from } ?? all.count - 1) + 1 } ?? 0
        let part = all.dropFirst(start).prefix(checkpoint.take)
        var members: JSONObject = [name: .array(part.map { .object(show($0)) })]
        if start + part.count < all.count { members["next"] = part.last?[id] }
        return .ok(members)
    }

    /// The first `most` of some elements that SQL has found, of which one more says that the list goes on.
    /// - Parameter next: what the following request says as `from`.
    package static func window<Element>(
        _ name: String, _ elements: [Element], most: Int, next: (Element) -> String,
        _ show: (Element) throws -> JSONObject
    ) rethrows -> Answer {
        let part = elements.prefix(most)
        var members: JSONObject = [name: .array(try part.map { .object(try show($0)) })]
        if elements.count > most, let last = part.last { members["next"] = .string(next(last)) }
        return .ok(members)
    }
}
