import Foundation
import Testing

/// Whatever is added is one file and one line in a list; here is what happens to whoever forgets the line.
@Suite("List files")
struct ListFilesTests {
    @Test(
        "Every file of the folder is named in its list",
        arguments: [
            ("Sources/AuthorizationServer/Token/Grants", "Sources/AuthorizationServer/Token/Grants.swift"),
            ("Sources/AuthorizationServer/Login/Steps", "Sources/AuthorizationServer/Login/LoginSteps.swift"),
            ("Sources/Connections/Strategies", "Sources/Connections/Strategies.swift"),
            ("Sources/Pages/Views", "Sources/Pages/Pages.swift"),
        ])
    func complete(folder: String, list: String) throws {
        let files = try Repository.files(folder)
        #expect(!files.isEmpty)
        let words = try Repository.file(list).words
        for file in files { #expect(words.contains(file.stem[...]), "\(file) is not in \(list)") }
    }

    @Test("Every migration is in Migrations.swift, numbered from 1 without a gap")
    func migrations() throws {
        let list = try Repository.file("Sources/Storage/Migrations.swift").words
        let files = try Repository.files("Sources/Storage/Migrations")
        #expect(!files.isEmpty)
        for (index, file) in files.enumerated() {
            #expect(Int(file.name.prefix(4)) == index + 1, "\(file)")
            let declaration = try #require(
                file.text.firstMatch(of: /static let (\w+) = Migration\(\s*number: (\d+)/), "\(file) has no migration")
            #expect(Int(declaration.2) == index + 1, "\(file)")
            #expect(list.contains(declaration.1), "\(file) is not in Migrations.swift")
        }
    }

    @Test("Every controller is in Router.swift")
    func controllers() throws {
        let router = try Repository.file("Sources/Web/Router.swift").words
        let controllers = try Repository.files("Sources/Web").filter { $0.stem.hasSuffix("Controller") }
        #expect(!controllers.isEmpty)
        for controller in controllers {
            #expect(router.contains(controller.stem[...]), "\(controller) is not in Router.swift")
        }
    }

    @Test("Every resource of the Management API is in ManagementAPI.swift")
    func managementResources() throws {
        let list = try Repository.file("Sources/ManagementAPI/ManagementAPI.swift").words
        let resources = try Repository.files("Sources/ManagementAPI").filter { $0.stem.hasSuffix("Resource") }
        #expect(!resources.isEmpty)
        for resource in resources {
            #expect(list.contains(resource.stem[...]), "\(resource) is not in ManagementAPI.swift")
        }
    }

    @Test("Every command is in PorticoCommand.swift")
    func commands() throws {
        let list = try Repository.file("Sources/Portico/PorticoCommand.swift").words
        for command in try Repository.files("Sources/Portico/Commands") where command.stem.hasSuffix("Command") {
            #expect(list.contains(command.stem[...]), "\(command) is not in PorticoCommand.swift")
        }
    }

    @Test("Every check of the storage suite is one of its behaviours")
    func behaviours() throws {
        for file in try Repository.files("Sources/StorageTesting") {
            for check in file.text.matches(of: /static func (\w+)\(_ suite: StorageSuite\)/) {
                #expect(file.text.contains(try Regex("Behaviour\\(\"[^\"]*\", \(check.1)\\)")), "\(file): \(check.1)")
            }
        }
    }
}
