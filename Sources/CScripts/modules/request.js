// request, over fetch: what old rules use, with a callback (error, response, body).
(function (tools) {
  'use strict';
  const { load } = tools;
  const { fetch, AbortController } = load('fetch');
  const { URL, URLSearchParams } = load('url');
  const { Buffer } = load('buffer');

  function merge(defaults, first, second, third) {
    let [options, callback] = [first, second];
    if (typeof first === 'string' || first instanceof URL) {
      [options, callback] = typeof second === 'function' ? [{}, second] : [second ?? {}, third];
      options = { ...options, url: String(first) };
    }
    const all = { ...defaults, ...options, headers: { ...defaults.headers, ...options.headers } };
    return [all, callback ?? all.callback];
  }

  function address(options) {
    const base = options.baseUrl ? String(options.baseUrl).replace(/\/+$/, '') + '/' : '';
    const given = options.url ?? options.uri;
    const path = typeof given === 'object' ? given.href : String(given ?? '');
    const url = new URL(base ? base + path.replace(/^\/+/, '') : path);
    for (const [name, value] of Object.entries(options.qs ?? {})) {
      for (const each of [].concat(value)) url.searchParams.append(name, each ?? '');
    }
    return url.href;
  }

  function prepare(options) {
    const headers = {};
    for (const [name, value] of Object.entries(options.headers)) {
      if (value !== undefined && value !== null) headers[name.toLowerCase()] = String(value);
    }
    const auth = options.auth;
    if (auth?.bearer) {
      headers.authorization = 'Bearer ' + (typeof auth.bearer === 'function' ? auth.bearer() : auth.bearer);
    } else if (auth) {
      const credentials = `${auth.user ?? auth.username ?? ''}:${auth.pass ?? auth.password ?? ''}`;
      headers.authorization = 'Basic ' + Buffer.from(credentials).toString('base64');
    }
    let body = options.body;
    if (options.form) {
      headers['content-type'] ??= 'application/x-www-form-urlencoded';
      body = typeof options.form === 'string' ? options.form : new URLSearchParams(options.form).toString();
    } else if (options.json && typeof options.json === 'object') {
      [headers['content-type'], body] = [headers['content-type'] ?? 'application/json', JSON.stringify(options.json)];
    } else if (options.json && body !== undefined && typeof body !== 'string') {
      [headers['content-type'], body] = [headers['content-type'] ?? 'application/json', JSON.stringify(body)];
    }
    if (options.json) headers.accept ??= 'application/json';
    return { headers, body: body instanceof Uint8Array ? Buffer.from(body).toString() : body };
  }

  async function send(options) {
    const method = String(options.method ?? 'GET').toUpperCase();
    const { headers, body } = prepare(options);
    const controller = new AbortController();
    const timer = options.timeout && setTimeout(() => controller.abort(), options.timeout);
    try {
      const answer = await fetch(address(options), {
        method, headers, body: method === 'GET' || method === 'HEAD' ? undefined : body, signal: controller.signal,
      });
      let content = await answer.text();
      if (options.json) {
        try { content = JSON.parse(content); } catch { /* It stays a text, as with the module itself. */ }
      }
      return {
        statusCode: answer.status, statusMessage: answer.statusText, headers: Object.fromEntries(answer.headers),
        body: content, request: { method, href: address(options), headers },
      };
    } catch (error) {
      if (controller.signal.aborted) throw Object.assign(new Error('ETIMEDOUT'), { code: 'ETIMEDOUT' });
      throw error;
    } finally { clearTimeout(timer); }
  }

  function make(defaults) {
    function call(method, values) {
      const [options, callback] = merge(defaults, ...values);
      const chosen = { ...options, method: method ?? options.method };
      send(chosen).then(
        response => callback?.(null, response, response.body), error => callback?.(error)).catch(tools.fail);
    }
    const request = (...values) => call(undefined, values);
    for (const method of ['get', 'head', 'post', 'put', 'patch', 'delete', 'options']) {
      request[method] = (...values) => call(method.toUpperCase(), values);
    }
    request.del = request.delete;
    request.defaults = more => make({ ...defaults, ...more, headers: { ...defaults.headers, ...more.headers } });
    return request;
  }

  return make({});
})
