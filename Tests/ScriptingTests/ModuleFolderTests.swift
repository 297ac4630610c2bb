import Foundation
import Scripting
import TestSupport
import Testing

/// Packages in folders of the operator's, found as Node finds them.
@Suite("Folders of packages")
struct ModuleFolderTests {
    /// A folder `node_modules` with these files.
    private static func folder(_ files: [String: String]) throws -> URL {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "modules-\(UUID().uuidString)/node_modules", directoryHint: .isDirectory)
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return root
    }

    /// Runs `body` with a folder of ``packages``, and a pool of one worker that finds them there.
    private static func run(_ body: (URL, ScriptPool) async throws -> Void) async throws {
        let folder = try Self.folder(packages)
        defer { remove(folder) }
        var settings = TestWorkers.settings(size: 1)
        settings.modules = ModuleFolder([folder.path()])
        let pool = ScriptPool(settings)
        try await body(folder, pool)
        await pool.shutdown()
    }

    private static func remove(_ folder: URL) {
        try? FileManager.default.removeItem(at: folder.deletingLastPathComponent())
    }

    private static let packages = [
        "greeting/package.json": #"{"main": "lib/greet"}"#,
        "greeting/lib/greet.js": """
        const words = require('../words.json'); const { loud } = require('./loud');
        exports.greet = name => loud(words.hello + ', ' + name); exports.file = __filename; exports.folder = __dirname;
        """,
        "greeting/lib/loud.js": "#!/usr/bin/env node\nexports.loud = text => require('shout')(text);",
        "greeting/words.json": #"{"hello": "Hello"}"#,
        "greeting/node_modules/shout/index.js": "module.exports = text => text.toUpperCase() + '!';",
        "@scope/modern/package.json":
            #"{"main": "no.js", "exports": {".": {"import": "./m.mjs", "require": "./c.cjs"}, "./parts/*": "./src/*.js"}}"#,
        "@scope/modern/c.cjs": "module.exports = 'modern';",
        "@scope/modern/src/one.js": "module.exports = 1;",
        "@scope/modern/hidden.js": "module.exports = 'hidden';",
        "circle/index.js": "exports.a = 1; exports.b = require('./other').seen; exports.c = 3;",
        "circle/other.js": "exports.seen = require('./index').a;",
        "broken/index.js": "throw new Error('does not load');",
        "node-only/index.js": "require('fs');",
        "uuid/index.js": "module.exports = 'not this one';",
    ]

    @Test("Node's way: main, exports, relative files, JSON, packages within packages; circles end")
    func packages() async throws {
        try await Self.run { _, pool in
            let result = await Scripts.body(
                """
                const assert = require('assert');
                const greeting = require('greeting@1.2.3');
                assert.equal(greeting.greet('Ada'), 'HELLO, ADA!');
                assert.equal(greeting, require('greeting'));
                assert(greeting.file.endsWith('/greeting/lib/greet.js') && greeting.folder.endsWith('/greeting/lib'));
                assert.equal(require('@scope/modern'), 'modern');
                assert.equal(require('@scope/modern/parts/one'), 1);
                assert.throws(() => require('@scope/modern/hidden.js'), /nothing for require/);
                assert.deepEqual(require('circle'), { a: 1, b: 1, c: 3 });
                assert.throws(() => require('broken'), /does not load/);
                assert.throws(() => require('broken'), /does not load/);
                assert.throws(() => require('node-only'), /Cannot find module 'fs' for .*node-only/);
                assert.throws(() => require('./greeting'), { code: 'MODULE_NOT_FOUND' });
                assert.throws(() => require('absent'), { code: 'MODULE_NOT_FOUND' });
                assert.equal(typeof require('uuid').v4, 'function');
                """, pool: pool)
            #expect(result.end == .returned("null"), "\(result.console) \(String(describing: result.failure))")
        }
    }

    @Test(
        "No name leads out of the folders",
        arguments: [
            "../secret", "..", "/etc/passwd", "greeting/../../secret", "link", "link/secret.js", "a\u{0}b", "",
            "@scope",
            "greeting//lib/greet",
        ])
    func outside(specifier: String) throws {
        let folder = try Self.folder(Self.packages)
        defer { Self.remove(folder) }
        let outside = folder.deletingLastPathComponent()
        try Data("module.exports = 'secret'".utf8).write(to: outside.appending(path: "secret.js"))
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "link"), withDestinationURL: outside)
        let modules = ModuleFolder([folder.path()])
        #expect(try modules.find(specifier, from: nil) == nil)
        let parent = try #require(try modules.find("greeting", from: nil)?.path)
        #expect(try modules.find("../../../secret", from: parent) == nil)
        #expect(try modules.find("./greet", from: "/etc/passwd") == nil)
    }

    @Test("Who asks is a real file of the folders, whatever a worker says: no path of its own making is walked")
    func askingFile() throws {
        let folder = try Self.folder(Self.packages)
        defer { Self.remove(folder) }
        let modules = ModuleFolder([folder.path()])
        let parent = try #require(try modules.find("greeting", from: nil)?.path)
        #expect(try modules.find("shout", from: parent) != nil)
        let greeting = parent.replacing("/lib/greet.js", with: "")
        for other in [
            "/etc/passwd", greeting + "/lib/absent.js", greeting + "/lib/../lib/greet.js", parent + "\u{0}",
            greeting + String(repeating: "/a", count: 500_000),
        ] {
            #expect(try modules.find("greeting", from: other) == nil, "\(other.prefix(200))")
        }
    }

    @Test("A script's toJSON has no say in what the server is asked")
    func toJSON() async throws {
        try await Self.run { _, pool in
            let host = TestHost { call in
                .value(
                    call.arguments.contains("https://a.example/")
                        ? #"{"status":200,"body":"asked"}"# : #"{"status":400}"#)
            }
            let result = await Scripts.body(
                """
                let asked = 0;
                for (const type of [Array, Object]) type.prototype.toJSON = () => { asked += 1; return ['circle', null]; };
                console.log(require('@scope/modern'));
                console.log((await fetch('https://a.example/')).status);
                for (const type of [Array, Object]) delete type.prototype.toJSON;
                """, host: host, pool: pool)
            #expect(result.console == ["modern", "200"], "\(result.end)")
        }
    }

    @Test("A worker asks once for a module, and a script cannot ask the server for files itself")
    func calls() async throws {
        try await Self.run { folder, pool in
            let host = TestHost { _ in
                Self.remove(folder)
                return .value(#"{"status":200,"body":""}"#)
            }
            let result = await Scripts.body(
                """
                console.log(require('@scope/modern'));
                await fetch('https://a.example/');
                console.log(require('@scope/modern'), typeof find, typeof native);
                """, host: host, pool: pool)
            #expect(result.console == ["modern", "modern undefined undefined"], "\(result.end)")
        }
    }
}
