// The callback client that most rules were written with: `request(options, (error, response, body) => …)`.
// It knows the options that send a buffered request; streams, multipart forms and cookie jars it does not have.
(function (tools) {
  'use strict';
  const { load } = tools;
  const querystring = load('querystring');
  const { Buffer } = load('buffer');
  const { URL } = load('url');
  const { fetch } = load('fetch');

  const unsupported = ['formData', 'multipart', 'har', 'oauth', 'aws', 'httpSignature', 'cert', 'key', 'pfx', 'agentOptions'];

  function toOptions(uri, options, callback) {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    const given = typeof uri === 'string' ? { ...options, uri } : { ...uri, ...options };
    return { ...given, callback: callback || given.callback };
  }

  function basic(user, password) {
    return 'Basic ' + Buffer.from(`${user === undefined ? '' : user}:${password === undefined ? '' : password}`).toString('base64');
  }

  function authorization(auth) {
    if (auth.bearer !== undefined) return 'Bearer ' + (typeof auth.bearer === 'function' ? auth.bearer() : auth.bearer);
    const user = auth.user !== undefined ? auth.user : auth.username;
    return basic(user, auth.pass !== undefined ? auth.pass : auth.password);
  }

  // `qs` and `form` may nest, as `a[b]=c`.
  function pairs(value, prefix, into) {
    if (value === undefined || typeof value === 'function') return into;
    if (value === null || typeof value !== 'object' || value instanceof Date) {
      into.push([prefix, value === null ? '' : value instanceof Date ? value.toISOString() : String(value)]);
      return into;
    }
    for (const key of Object.keys(value)) pairs(value[key], prefix === '' ? key : `${prefix}[${key}]`, into);
    return into;
  }

  function encoded(value) {
    if (typeof value === 'string') return value;
    return pairs(value, '', []).map(([key, text]) => `${querystring.escape(key)}=${querystring.escape(text)}`).join('&');
  }

  function address(options) {
    const given = options.uri || options.url;
    if (given === undefined || given === null || given === '') throw new Error('options.uri is a required argument');
    let text = String(given.href || given);
    if (options.baseUrl) text = String(options.baseUrl).replace(/\/$/, '') + '/' + text.replace(/^\//, '');
    const url = new URL(text);
    const user = [url.username, url.password].map(decodeURIComponent);
    const rest = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
    const plain = rest.replace(/#.*$/s, '');
    const query = options.qs === undefined ? '' : encoded(options.qs);
    return {
      url: query === '' ? plain : plain + (plain.includes('?') ? '&' : '?') + query,
      user: url.username === '' && url.password === '' ? undefined : user,
    };
  }

  function content(options, headers) {
    const json = options.json !== undefined && options.json !== null && options.json !== false;
    const set = (name, value) => { if (!(name in headers)) headers[name] = value; };
    if (json) set('accept', 'application/json');
    if (options.form !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      return encoded(options.form);
    }
    const value = json && typeof options.json !== 'boolean' ? options.json : options.body;
    if (value === undefined || value === null) return undefined;
    if (json) {
      set('content-type', 'application/json');
      return typeof value === 'string' && typeof options.json === 'boolean' && /^application\/x-www-form-urlencoded\b/.test(headers['content-type'])
        ? value : JSON.stringify(value);
    }
    if (typeof value === 'string' || value instanceof Uint8Array) return value;
    throw new Error('Argument error, options.body.');
  }

  function prepared(options) {
    for (const name of unsupported)
      if (options[name] !== undefined) throw new Error(`The option '${name}' of the module 'request' is not available here`);
    const headers = {};
    for (const name of Object.keys(options.headers || {}))
      if (options.headers[name] !== undefined) headers[name.toLowerCase()] = String(options.headers[name]);
    const { url, user } = address(options);
    if (options.auth) headers.authorization = authorization(options.auth);
    else if (user && !headers.authorization) headers.authorization = basic(...user);
    const body = content(options, headers);
    return { url, method: String(options.method || 'GET').toUpperCase(), headers, body, json: Boolean(options.json) };
  }

  function withTimeout(promise, milliseconds) {
    if (!(milliseconds > 0)) return promise;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(Object.assign(new Error('ETIMEDOUT'), { code: 'ETIMEDOUT', connect: false })), milliseconds);
      promise.then(value => { clearTimeout(timer); resolve(value); }, error => { clearTimeout(timer); reject(error); });
    });
  }

  async function send(options) {
    const { url, method, headers, body, json } = prepared(options);
    const answer = await withTimeout(fetch(url, { method, headers, body }), options.timeout);
    const buffered = options.encoding === null ? Buffer.from(await answer.arrayBuffer()) : await answer.text();
    const response = {
      statusCode: answer.status, statusMessage: answer.statusText || '', headers: Object.fromEntries(answer.headers),
      body: buffered, request: { method, uri: new URL(url), headers },
    };
    if (json && typeof buffered === 'string') {
      // What is no JSON stays the text that it is.
      try { response.body = JSON.parse(buffered, options.jsonReviver); } catch (error) { response.body = buffered; }
    }
    response.toJSON = () => ({ statusCode: response.statusCode, body: response.body, headers: response.headers, request: { method, headers, uri: url } });
    return response;
  }

  // What `request(…)` gives back: listeners, for those who do not pass a callback.
  function handle(promise, callback) {
    const listeners = {};
    const emit = (name, ...values) => (listeners[name] || []).forEach(listener => listener(...values));
    promise.then(response => {
      emit('response', response);
      emit('data', response.body);
      emit('end');
      emit('complete', response, response.body);
      if (callback) callback(null, response, response.body);
    }, error => {
      emit('error', error);
      if (callback) callback(error, undefined, undefined);
    });
    const self = { on(name, listener) { (listeners[name] = listeners[name] || []).push(listener); return self; }, abort() {}, end() { return self; } };
    self.once = self.on;
    return self;
  }

  function client(defaults, start) {
    const merge = options => ({
      ...defaults, ...options,
      headers: { ...(defaults.headers || {}), ...(options.headers || {}) },
    });
    const verb = method => (uri, options, callback) => {
      const given = merge(toOptions(uri, options, callback));
      return start(method ? { ...given, method } : given);
    };
    const request = verb();
    for (const method of ['get', 'head', 'options', 'post', 'put', 'patch', 'delete']) request[method] = verb(method);
    request.del = request.delete;
    request.defaults = more => client(merge(more), start);
    return request;
  }

  const request = client({}, options => handle(send(options), options.callback));
  // The promise form, which other modules give out.
  Object.defineProperty(request, 'promised', {
    value: client({}, async options => {
      let response;
      try {
        response = await send(options);
      } catch (cause) {
        throw Object.assign(new Error('Error: ' + cause.message), { name: 'RequestError', cause, error: cause, options });
      }
      if (options.callback) options.callback(null, response, response.body);
      if (options.simple !== false && !(response.statusCode >= 200 && response.statusCode < 300)) {
        const text = typeof response.body === 'string' ? response.body : JSON.stringify(response.body);
        throw Object.assign(new Error(`${response.statusCode} - ${text}`), {
          name: 'StatusCodeError', statusCode: response.statusCode, error: response.body, response, options,
        });
      }
      if (typeof options.transform === 'function') return options.transform(response.body, response, options.resolveWithFullResponse);
      return options.resolveWithFullResponse ? response : response.body;
    }),
  });
  return request;
})
