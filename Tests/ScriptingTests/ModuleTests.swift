import Crypto
import CryptoExtras
import Foundation
import Scripting
import Testing

/// What scripts find beside the language. Each script checks for itself, with `assert`.
@Suite("Modules and globals for scripts")
struct ModuleTests {
    private static func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    /// Answers what it was asked, as a server that echoes.
    private static let host = TestHost { call in
        switch call.name {
        case "fetch" where call.arguments.contains("missing.example"): return .failure("the name does not resolve")
        case "fetch":
            let status = call.arguments.contains("/404") ? 404 : 200
            return .value(
                #"{"status":\#(status),"statusText":"Word","headers":{"content-type":"application/json"},"body":"#
                    + quoted(call.arguments) + "}")
        case "bcrypt.compare": return .value(call.arguments.contains("right") ? "true" : "false")
        case "bcrypt.hash": return .value(#""$2b$10$hash""#)
        default: return .failure("unknown")
        }
    }

    private func check(
        _ body: String, secrets: String = "{}", sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let result = await Scripts.action(
            "const assert = require('assert'); exports.onExecutePostLogin = async (event, api) => {\n\(body)\n};",
            input: #"{"event":{},"secrets":\#(secrets)}"#, limits: TestPools.ample, host: Self.host,
            pool: TestPools.patient)
        #expect(result.end == .returned("null"), "\(result.console)", sourceLocation: sourceLocation)
    }

    @Test("Buffer: encodings, views, numbers")
    func buffer() async {
        await check(
            #"""
            assert.equal(Buffer.from('häß€😀').toString('base64'), 'aMOkw5/igqzwn5iA');
            assert.equal(Buffer.from('aMOkw5_igqzwn5iA', 'base64url').toString(), 'häß€😀');
            assert.equal(Buffer.from('aGk', 'base64').toString('hex'), '6869');
            assert.equal(Buffer.from('616', 'hex').length, 1);
            assert.equal(Buffer.from('\xff', 'latin1')[0], 255);
            assert.equal(Buffer.from('ab', 'utf16le').toString('hex'), '61006200');
            const whole = Buffer.concat([Buffer.from('abc'), Buffer.from('def')]);
            assert.equal(whole.subarray(2, 4).toString(), 'cd');
            const digest = require('crypto').createHash('md5').update(whole.subarray(2, 4)).digest('hex');
            assert.equal(digest, '6865aeb3a9ed28f9a79ec454b259e5d0');
            assert.ok(Buffer.isBuffer(whole.slice(1)) && whole.slice(1) instanceof Uint8Array);
            assert.deepStrictEqual(JSON.parse(JSON.stringify(Buffer.from('a'))), { type: 'Buffer', data: [97] });
            assert.equal(whole.indexOf('de'), 3);
            assert.ok(Buffer.from('a').equals(new Uint8Array([97])));
            const number = Buffer.alloc(8);
            number.writeUInt32BE(0xdeadbeef, 2);
            assert.equal(number.readUInt32BE(2), 0xdeadbeef);
            assert.equal(number.readInt16LE(2), -21026);
            assert.equal(Buffer.alloc(5, 'ab').toString(), 'ababa');
            assert.equal(Buffer.byteLength('€'), 3);
            assert.throws(() => Buffer.from('x', 'klingon'), { code: 'ERR_UNKNOWN_ENCODING' });
            assert.equal(btoa('hi\xff'), 'aGn/');
            assert.equal(atob('aGk='), 'hi');
            assert.throws(() => btoa('€'));
            assert.throws(() => atob('a*b'));
            assert.equal(new TextDecoder().decode(new TextEncoder().encode('a\0b')), 'a\0b');
            """#)
    }

    @Test("crypto: the test vectors of its standards")
    func crypto() async {
        await check(
            #"""
            const crypto = require('node:crypto');
            const { createHash, createHmac, pbkdf2Sync } = crypto;
            assert.equal(createHash('sha256').update('a').update('bc').digest('hex'),
              'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
            assert.equal(createHash('SHA-1').update('abc').digest('hex'), 'a9993e364706816aba3e25717850c26c9cd0d89d');
            assert.equal(createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex'),
              '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
            assert.equal(createHmac('sha512', 'k').update('').digest().length, 64);
            assert.throws(() => createHash('sha3-256'));
            const done = createHash('md5');
            done.digest();
            assert.throws(() => done.update('x'), { code: 'ERR_CRYPTO_HASH_FINALIZED' });
            assert.equal(pbkdf2Sync('password', 'salt', 2, 20, 'sha1').toString('hex'), 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957');
            assert.ok(crypto.timingSafeEqual(Buffer.from('ab'), Buffer.from('ab')));
            assert.ok(!crypto.timingSafeEqual(Buffer.from('ab'), Buffer.from('ac')));
            assert.throws(() => crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab')), RangeError);
            assert.notEqual(crypto.randomBytes(16).toString('hex'), crypto.randomBytes(16).toString('hex'));
            assert.equal(crypto.randomBytes(100000).length, 100000);
            for (let i = 0; i < 100; i++) assert.ok([3, 4, 5].includes(crypto.randomInt(3, 6)));
            const { webcrypto } = crypto;
            assert.match(webcrypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
            assert.ok(webcrypto.getRandomValues(new Uint32Array(8)).some(value => value !== 0));
            const digest = await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc'));
            assert.equal(Buffer.from(digest).toString('hex').slice(0, 8), 'ba7816bf');
            """#)
    }

    @Test("jsonwebtoken signs and verifies, and takes nothing for what it is not")
    func tokens() async throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let keys = [key.pemRepresentation, key.publicKey.pemRepresentation].map(Self.quoted)
        await check(
            #"""
            const jwt = require('jsonwebtoken@9.0.2');
            const { privateKey, publicKey } = event.secrets;
            const token = jwt.sign({ sub: 'ada' }, 'secret', { expiresIn: '1h', issuer: 'me', audience: ['you'] });
            const claims = jwt.verify(token, 'secret', { issuer: 'me', audience: 'you', algorithms: ['HS256'] });
            assert.equal(claims.exp - claims.iat, 3600);
            const known = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c';
            assert.equal(jwt.verify(known, 'your-256-bit-secret').name, 'John Doe');
            assert.throws(() => jwt.verify(token, 'other'), { name: 'JsonWebTokenError', message: 'invalid signature' });
            assert.throws(() => jwt.verify(jwt.sign({ exp: 1 }, 'secret'), 'secret'), { name: 'TokenExpiredError' });
            assert.throws(() => jwt.verify(jwt.sign({}, 'secret', { notBefore: 60 }), 'secret'), { name: 'NotBeforeError' });
            assert.throws(() => jwt.verify(token, 'secret', { audience: 'them' }), /audience/);
            const signed = jwt.sign({ sub: 'ada' }, privateKey, { algorithm: 'RS256', keyid: 'k' });
            assert.equal(jwt.decode(signed, { complete: true }).header.kid, 'k');
            assert.equal(jwt.verify(signed, publicKey).sub, 'ada');
            assert.throws(() => jwt.verify(signed.slice(0, -8) + 'AAAAAAAA', publicKey), /invalid signature/);
            // The public key as the secret of an HMAC, and no signature at all.
            assert.throws(() => jwt.verify(jwt.sign({ sub: 'eve' }, publicKey), publicKey), /invalid algorithm/);
            const none = Buffer.from('{"alg":"none"}').toString('base64url') + '.' + Buffer.from('{}').toString('base64url') + '.';
            assert.throws(() => jwt.verify(none, 'secret'), /signature is required/);
            assert.throws(() => jwt.verify(none + 'x', 'secret'), /invalid algorithm/);
            const later = await new Promise((accept, refuse) => jwt.verify(signed, (header, answer) => answer(null, publicKey),
              (error, value) => error ? refuse(error) : accept(value)));
            assert.equal(later.sub, 'ada');
            """#, secrets: #"{"privateKey":\#(keys[0]),"publicKey":\#(keys[1])}"#)
    }

    @Test("URL and URLSearchParams read as the URL standard does")
    func url() async {
        await check(
            #"""
            const cases = [
              ['https://user:pa%20ss@EXAMPLE.com:443/a/../b/./c?x=1 2#f ü', undefined, 'https://user:pa%20ss@example.com/b/c?x=1%202#f%20%C3%BC'],
              ['/x/y?z', 'https://a.b/c/d?e', 'https://a.b/x/y?z'], ['../q', 'https://a.b/c/d/e', 'https://a.b/c/q'],
              ['?q', 'https://a.b/c', 'https://a.b/c?q'], ['//o.p/q', 'https://a.b', 'https://o.p/q'],
              ['https:\\\\a\\b', undefined, 'https://a/b'], ['https://bücher.example/ä', undefined, 'https://xn--bcher-kva.example/%C3%A4'],
              ['http://127.1/', undefined, 'http://127.0.0.1/'], ['http://0x7f000001/', undefined, 'http://127.0.0.1/'],
              ['http://2130706433/', undefined, 'http://127.0.0.1/'], ['http://[::1]:80/', undefined, 'http://[::1]/'],
              ['http://a.b/%2e%2E/c', undefined, 'http://a.b/c'], ['mailto:a@b.c', undefined, 'mailto:a@b.c'],
            ];
            for (const [input, base, expected] of cases) assert.equal(new URL(input, base).href, expected);
            for (const bad of ['x', 'http://a b/', 'http://a.b:99999/', 'http://256.1.1.1/']) {
              assert.throws(() => new URL(bad), { code: 'ERR_INVALID_URL' });
            }
            const url = new URL('https://a.b/c?d=e');
            url.searchParams.append('f', 'g h&');
            url.pathname = '/q r';
            assert.equal(url.href, 'https://a.b/q%20r?d=e&f=g+h%26');
            assert.deepStrictEqual([...new URLSearchParams('a=1&b=%C3%A4+x&a=2')], [['a', '1'], ['b', 'ä x'], ['a', '2']]);
            assert.equal(String(new URLSearchParams({ q: "ä'()~!*" })), 'q=%C3%A4%27%28%29%7E%21*');
            assert.equal(require('url').parse('https://u:p@a.b:81/c?d=e#f', true).query.d, 'e');
            """#)
    }

    @Test("fetch, axios, node-fetch and https ask the server, each in its way")
    func requests() async {
        await check(
            #"""
            const answer = await fetch('https://a.example/x', { method: 'post', headers: { 'X-Key': 'k' }, body: new URLSearchParams({ q: 'ü' }) });
            assert.ok(answer.ok && answer.headers.get('Content-Type') === 'application/json');
            const asked = await answer.json();
            assert.deepStrictEqual(asked, { url: 'https://a.example/x', method: 'POST', body: 'q=%C3%BC',
              headers: { 'x-key': 'k', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' } });
            await assert.rejects(fetch('https://missing.example/'), { name: 'TypeError', message: /the name does not resolve/ });
            await assert.rejects(fetch('/relative'), TypeError);
            await assert.rejects(fetch('https://a.example/', { headers: { 'X': 'a\r\nY: b' } }), TypeError);

            const axios = require('axios');
            const posted = await axios.post('https://a.example/p?a=1', { b: 2 }, { params: { c: 'ä' }, auth: { username: 'u', password: 'p' } });
            assert.equal(posted.data.url, 'https://a.example/p?a=1&c=%C3%A4');
            assert.equal(posted.data.body, '{"b":2}');
            assert.equal(posted.data.headers.authorization, 'Basic dTpw');
            const named = await axios.get('https://key:p%40ss%3A@a.example/n', { headers: { authorization: 'none' } });
            assert.equal(named.data.url, 'https://a.example/n');
            assert.equal(named.data.headers.authorization, 'Basic ' + btoa('key:p@ss:'));
            const both = await axios.get('https://key:pass@a.example/n', { auth: { username: 'u', password: 'p' } });
            assert.equal(both.data.headers.authorization, 'Basic dTpw');
            await assert.rejects(axios.get('https://a.example/404'), error => error.isAxiosError && error.response.status === 404);
            await assert.rejects(axios.get('https://missing.example/'), { code: 'ERR_NETWORK' });
            const client = axios.create({ baseURL: 'https://a.example/v1/', headers: { 'x-a': 'b' } });
            client.interceptors.request.use(config => ({ ...config, params: { token: 't' } }));
            assert.equal((await client.get('/users')).data.url, 'https://a.example/v1/users?token=t');

            const nodeFetch = require('node-fetch');
            assert.equal((await (await nodeFetch('https://a.example/')).json()).method, 'GET');

            const text = await new Promise((accept, refuse) => {
              const request = require('https').request({ hostname: 'a.example', path: '/h', method: 'PUT', headers: { a: 'b' } }, response => {
                let data = '';
                assert.equal(response.statusCode, 200);
                response.on('data', chunk => { data += chunk; });
                response.on('end', () => accept(data));
              });
              request.on('error', refuse);
              request.write('one ');
              request.end('two');
            });
            assert.equal(JSON.parse(text).body, 'one two');
            const refused = await new Promise(accept => require('http').get('http://missing.example/').on('error', accept));
            assert.match(refused.message, /does not resolve/);

            const controller = new AbortController();
            setTimeout(() => controller.abort(), 1);
            const aborted = Promise.race([new Promise(() => {}), new Promise((_, no) => controller.signal.addEventListener('abort', () => no(controller.signal.reason)))]);
            await assert.rejects(aborted, { name: 'AbortError' });
            """#)
    }

    @Test("bcrypt is the server's, by callback and by promise")
    func bcrypt() async {
        await check(
            #"""
            const bcrypt = require('bcrypt');
            assert.ok(await bcrypt.compare('right', '$2b$10$x'));
            assert.ok(!await new Promise((accept, refuse) => bcrypt.compare('wrong', '$2b$10$x', (error, same) => error ? refuse(error) : accept(same))));
            assert.equal(await bcrypt.hash('password', 10), '$2b$10$hash');
            assert.throws(() => bcrypt.compareSync('a', 'b'), /bcrypt\.compare/);
            """#)
    }

    @Test("util, events, path, querystring, uuid, structuredClone")
    func small() async {
        await check(
            #"""
            const util = require('util');
            assert.equal(await util.promisify((value, callback) => callback(null, value + 1))(1), 2);
            assert.equal(util.format('%s-%d %j', 'a', 2, { b: 1 }), 'a-2 {"b":1}');
            assert.equal(util.inspect({ a: [1, 'x'] }), "{ a: [ 1, 'x' ] }");
            assert.ok(util.isDeepStrictEqual({ a: [1] }, { a: [1] }) && !util.isDeepStrictEqual({ a: 1 }, { a: '1' }));

            const EventEmitter = require('events');
            const emitter = new EventEmitter();
            const heard = [];
            emitter.on('x', value => heard.push(value));
            emitter.once('x', value => heard.push('once ' + value));
            emitter.emit('x', 1); emitter.emit('x', 2);
            assert.deepStrictEqual(heard, [1, 'once 1', 2]);
            assert.throws(() => emitter.emit('error', new Error('loud')), /loud/);

            const path = require('path');
            assert.equal(path.join('/a', '../b', './c.txt'), '/b/c.txt');
            assert.equal(path.basename('/b/c.txt', '.txt') + path.extname('c.tar.gz') + path.dirname('/a/b'), 'c.gz/a');

            const querystring = require('querystring');
            assert.deepEqual({ ...querystring.parse('a=1&a=2&b=%20+') }, { a: ['1', '2'], b: '  ' });
            assert.equal(querystring.stringify({ a: [1, 'x y'], b: true }), 'a=1&a=x%20y&b=true');

            const uuid = require('uuid');
            assert.ok(uuid.validate(uuid.v4()) && !uuid.validate('x'));
            assert.equal(uuid.v5('www.example.com', uuid.v5.DNS), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
            assert.equal(uuid.version(uuid.v3('www.example.com', uuid.v3.DNS)), 3);

            const original = { date: new Date(0), map: new Map([[1, { a: 1 }]]), bytes: new Uint8Array([1, 2]), __proto__: null };
            original.self = original;
            const copy = structuredClone(original);
            assert.ok(copy.self === copy && copy.map.get(1) !== original.map.get(1) && copy.bytes[1] === 2 && +copy.date === 0);
            assert.throws(() => structuredClone(() => {}), { name: 'DataCloneError' });
            assert.equal(new Intl.NumberFormat('de').format(1234.5), '1.234,5');
            """#)
    }
}
