import Foundation
import Scripting
import TestSupport
import Testing

/// The modules that rules were written with. Each script checks for itself, with `assert`.
@Suite("Modules that rules were written with")
struct RequestModuleTests {
    /// Answers what it was asked; 404 below /404, and nothing at all for missing.example.
    private static let host = TestHost { call in
        guard call.name == "fetch" else {
            return call.name == "users.get" ? .value(#"{"user_id":"auth0|ada"}"#) : .value(call.arguments)
        }
        guard !call.arguments.contains("missing.example") else { return .failure("the name does not resolve") }
        let status = call.arguments.contains("/404") ? 404 : 200
        let body = (try? JSONEncoder().encode(call.arguments)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
        return .value(#"{"status":\#(status),"headers":{"x-answer":"1"},"body":\#(body)}"#)
    }

    private func check(_ body: String, sourceLocation: SourceLocation = #_sourceLocation) async {
        let result = await Scripts.action(
            "const assert = require('assert'); exports.onExecutePostLogin = async (event, api) => {\n\(body)\n};",
            input: #"{"event":{}}"#, limits: ScriptLimits(cpu: .seconds(10)), host: Self.host, pool: TestPools.patient)
        #expect(
            result.end == .returned("null"), "\(result.console) \(String(describing: result.failure))",
            sourceLocation: sourceLocation)
    }

    @Test("request: address, query, JSON, forms, authorization, defaults; errors and statuses reach the callback")
    func request() async {
        await check(
            """
            const request = require('request@2.88.2');
            const send = (method, ...values) => new Promise((accept, refuse) => {
                const callback = (error, response, body) => error ? refuse(error) : accept([response, body]);
                method(...values, callback);
            });
            const sent = text => JSON.parse(text);
            let [response, body] = await send(request, 'https://a.example/x?y=1#z');
            assert.equal(response.statusCode, 200);
            assert.equal(response.headers['x-answer'], '1');
            assert.equal(sent(body).url, 'https://a.example/x?y=1');
            [, body] = await send(request.get, { url: 'https://u:p@a.example/', qs: { a: { b: 'c d' }, l: [1, 2] }, json: true });
            assert.equal(body.url, 'https://a.example/?a%5Bb%5D=c%20d&l%5B0%5D=1&l%5B1%5D=2');
            assert.equal(body.headers.authorization, 'Basic dTpw');
            assert.equal(body.headers.accept, 'application/json');
            [, body] = await send(request.post, 'https://a.example/', { form: { a: 'b c' }, auth: { bearer: 't' } });
            assert.equal(sent(body).body, 'a=b%20c');
            assert.equal(sent(body).headers['content-type'], 'application/x-www-form-urlencoded');
            assert.equal(sent(body).headers.authorization, 'Bearer t');
            [, body] = await send(request, { uri: 'https://a.example/', method: 'put', json: { k: 1 } });
            assert.deepEqual(JSON.parse(body.body), { k: 1 });
            assert.equal(body.method, 'PUT');
            [response] = await send(request.defaults({ headers: { X: '1' }, baseUrl: 'https://a.example/' }).get, '/404');
            assert.equal(response.statusCode, 404);
            assert.equal(sent(response.body).headers.x, '1');
            await assert.rejects(send(request.get, 'https://missing.example/'), /does not resolve/);
            await assert.rejects(send(request.get, {}), /required argument/);
            await assert.rejects(send(request.post, { url: 'https://a.example/', formData: {} }), /'formData'.*not available/);
            """)
    }

    @Test("request-promise: the body, or the whole response; other statuses reject")
    func requestPromise() async {
        await check(
            """
            const request = require('request-promise');
            assert.equal((await request.post({ uri: 'https://a.example/', body: { a: 1 }, json: true })).method, 'POST');
            const response = await request({ uri: 'https://a.example/404', simple: false, resolveWithFullResponse: true });
            assert.equal(response.statusCode, 404);
            await assert.rejects(request('https://a.example/404'), { name: 'StatusCodeError', statusCode: 404 });
            await assert.rejects(require('request-promise-native')('https://missing.example/'), { name: 'RequestError' });
            """)
    }

    @Test("@auth0/rule-utilities: away with a signed token and back; metadata below a name of its own")
    func ruleUtilities() async {
        await check(
            """
            const { Auth0RedirectRuleUtilities, Auth0UserUpdateUtilities } = require('@auth0/rule-utilities@0.2.0');
            const context = { protocol: 'oidc-basic-profile', request: { hostname: 'login.example.com', ip: '192.0.2.1', query: {} } };
            const user = { user_id: 'auth0|ada' };
            const configuration = { SESSION_TOKEN_SECRET: 'a-secret-of-the-tenant-that-is-long' };
            const away = new Auth0RedirectRuleUtilities(user, context, configuration);
            assert(away.canRedirect && !away.isRedirectCallback);
            away.doRedirect('https://verify.example.com/');
            const token = new URL(context.redirect.url).searchParams.get('session_token');
            assert(!away.canRedirect);
            assert.throws(() => away.doRedirect('https://verify.example.com/'), /Cannot redirect/);
            const back = { ...context, protocol: 'redirect-callback', redirect: undefined };
            back.request.query = { session_token: token };
            const returned = new Auth0RedirectRuleUtilities(user, back, configuration);
            assert(returned.isRedirectCallback && !returned.canRedirect);
            assert.equal(returned.validateSessionToken().ip, '192.0.2.1');
            const other = new Auth0RedirectRuleUtilities({ user_id: 'auth0|eve' }, back, configuration);
            assert.throws(() => other.validateSessionToken());
            const updates = new Auth0UserUpdateUtilities(user, {}, 'shop');
            updates.setAppMeta('plan', 'gold');
            assert.deepEqual(user.app_metadata, { shop: { plan: 'gold' } });
            await updates.updateAppMeta();
            """)
    }

    @Test("auth0: users and their metadata, by promise and by callback; the rest says that it is not there")
    func managementClient() async {
        await check(
            """
            const { ManagementClient } = require('auth0@2.9.1');
            const management = new ManagementClient({ token: 't', domain: 'login.example.com' });
            assert.equal((await management.getUser({ id: 'auth0|ada' })).user_id, 'auth0|ada');
            const changed = await management.updateAppMetadata({ id: 'auth0|ada' }, { plan: 'gold' });
            assert.deepEqual(changed, { id: 'auth0|ada', metadata: { plan: 'gold' } });
            const called = await new Promise((accept, refuse) => management.users.updateUserMetadata(
                { id: 'auth0|ada' }, { a: 1 }, (error, user) => error ? refuse(error) : accept(user)));
            assert.deepEqual(called.metadata, { a: 1 });
            assert.throws(() => management.deleteUser({ id: 'auth0|ada' }), /deleteUser is not available to scripts/);
            assert.throws(() => management.users.logs(), /users.logs is not available to scripts/);
            await assert.rejects(management.updateUser({ id: 'auth0|ada' }, { blocked: true }), /'blocked'.*cannot be changed/);
            """)
    }

    @Test("slack-notify: a message to a webhook, fields as Slack wants them, errors to the callback")
    func slack() async {
        await check(
            """
            const slack = require('slack-notify')('https://hooks.example/T');
            const send = (method, message) => new Promise((accept, refuse) =>
                method(message, (error, answer) => error ? refuse(error) : accept(answer)));
            const sent = await send(slack.success, { text: 'Hello', channel: '#logins', fields: { Name: 'Ada' } });
            const body = JSON.parse(sent.body);
            assert.equal(sent.url, 'https://hooks.example/T');
            assert.deepEqual([body.text, body.channel], ['Hello', '#logins']);
            assert.deepEqual(body.attachments[0].fields, [{ title: 'Name', value: 'Ada', short: true }]);
            assert.equal(JSON.parse((await send(slack.send, 'Bye')).body).text, 'Bye');
            await assert.rejects(send(require('slack-notify')('https://hooks.example/404').send, 'No'));
            """)
    }
}
