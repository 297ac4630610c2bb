import OAuth
import Storage
import Testing

@Suite("What a type reads describes it")
struct DocumentSchemaTests {
    @Test("Members with their kinds, nested ones too, and which of them must be there")
    func members() throws {
        let schema = try DocumentSchema.members { document throws(Document.Problem) in
            var document = document
            _ = try document.requiredString("name", most: 10)
            _ = try document.integer("age", in: 1...9)
            for var friend in try document.documents("friends") ?? [] {
                _ = try friend.requiredString("id")
                _ = try friend.remaining(known: [])
            }
            _ = try document.remaining(known: ["note"])
        }
        #expect(
            schema == [
                "name": .init(.text(most: 10), isRequired: true), "age": .init(.integer(1...9)),
                "friends": .init(.list(["id": .init(.text(most: nil), isRequired: true)])), "note": .init(.any),
            ])
    }

    @Test("A type that refuses even what it asks for is an error, not an endless loop")
    func refusing() {
        #expect(throws: Document.Problem.self) {
            _ = try DocumentSchema.members { document throws(Document.Problem) in
                var document = document
                _ = try document.string("name")
                throw document.problem("name", "is never right")
            }
        }
    }

    @Test("Every kind of configuration can be described")
    func models() throws {
        _ = try DocumentSchema.members { document throws(Document.Problem) in
            _ = try Client(document: document, standardID: "x")
        }
        _ = try DocumentSchema.members { document throws(Document.Problem) in
            _ = try Connection(document: document, standardID: "x")
        }
        _ = try DocumentSchema.members { document throws(Document.Problem) in
            _ = try Role(document: document, standardID: "x")
        }
        _ = try DocumentSchema.members { document throws(Document.Problem) in
            _ = try TenantSettings(document: document)
        }
    }

    @Test("In a query numbers and truth values are texts; elsewhere they are not")
    func query() throws {
        var query = Document(["page": "2", "all": "true"], path: "", isQuery: true)
        #expect(try query.integer("page", in: 0...9) == 2)
        #expect(try query.bool("all") == true)
        var body = Document(["page": "2"], path: "")
        #expect(throws: Document.Problem.self) { _ = try body.integer("page", in: 0...9) }
    }
}
