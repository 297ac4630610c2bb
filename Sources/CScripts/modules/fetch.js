// fetch, over the server's own client: its question 'fetch' is {url, method, headers, body}, the answer {status, headers, body}.
(function (tools) {
  'use strict';
  const { call, load } = tools;
  const { URL, URLSearchParams } = load('url');

  class Headers {
    #values = new Map();
    constructor(init = {}) {
      const pairs = init instanceof Headers || typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
      for (const [name, value] of pairs) for (const each of Array.isArray(value) ? value : [value]) this.append(name, each);
    }
    static #name(name) {
      const text = String(name).toLowerCase();
      if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(text)) throw new TypeError(`Header name must be a valid HTTP token ["${text}"]`);
      return text;
    }
    static #value(value) {
      const text = String(value).replace(/^[\t ]+|[\t\r\n ]+$/g, '');
      if (/[\0\r\n]/.test(text)) throw new TypeError('Invalid character in header content');
      return text;
    }
    append(name, value) {
      const [key, text] = [Headers.#name(name), Headers.#value(value)];
      this.#values.set(key, this.#values.has(key) ? this.#values.get(key) + ', ' + text : text);
    }
    delete(name) { this.#values.delete(Headers.#name(name)); }
    get(name) { return this.#values.get(Headers.#name(name)) ?? null; }
    has(name) { return this.#values.has(Headers.#name(name)); }
    set(name, value) { this.#values.set(Headers.#name(name), Headers.#value(value)); }
    forEach(callback, receiver) { for (const [name, value] of this) callback.call(receiver, value, name, this); }
    entries() { return [...this.#values].sort((left, right) => left[0] < right[0] ? -1 : 1)[Symbol.iterator](); }
    *keys() { for (const [name] of this.entries()) yield name; }
    *values() { for (const [, value] of this.entries()) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    raw() { return Object.fromEntries([...this].map(([name, value]) => [name, [value]])); }
  }

  class Body {
    #text; #used = false;
    constructor(text) { this.#text = text; }
    #take() {
      if (this.#used) throw new TypeError('Body is unusable: Body has already been read');
      this.#used = true;
      return this.#text;
    }
    get bodyUsed() { return this.#used; }
    get ok() { return this.status >= 200 && this.status < 300; }
    async text() { return this.#take(); }
    async json() { return JSON.parse(this.#take()); }
    async arrayBuffer() { return new (load('buffer').TextEncoder)().encode(this.#take()).buffer; }
    async buffer() { return load('buffer').Buffer.from(this.#take()); }
    clone() { return Object.assign(Object.create(Object.getPrototypeOf(this)), this); }
  }

  class Response extends Body {
    constructor(body = '', { status = 200, statusText = '', headers, url = '' } = {}) {
      super(body === null ? '' : String(body));
      Object.assign(this, { status, statusText, headers: new Headers(headers), url, redirected: false, type: 'basic' });
    }
    clone() { throw new TypeError('A response cannot be cloned here; read its text once and keep it'); }
    static json(value, init = {}) {
      return new Response(JSON.stringify(value), { ...init, headers: { 'content-type': 'application/json', ...init.headers } });
    }
  }

  class Request {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : {};
      this.url = input instanceof Request ? input.url : new URL(input).href;
      this.method = String(init.method ?? from.method ?? 'GET').toUpperCase();
      this.headers = new Headers(init.headers ?? from.headers ?? {});
      this.body = init.body ?? from.body ?? null;
      this.signal = init.signal ?? from.signal ?? null;
    }
  }

  class AbortSignal {
    aborted = false; reason; onabort = null;
    #listeners = [];
    addEventListener(type, listener) { if (type === 'abort') this.#listeners.push(listener); }
    removeEventListener(type, listener) { this.#listeners = this.#listeners.filter(each => each !== listener); }
    throwIfAborted() { if (this.aborted) throw this.reason; }
    static timeout(delay) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(named('TimeoutError', 'The operation was aborted due to timeout')), delay);
      return controller.signal;
    }
    static abort(reason) { const controller = new AbortController(); controller.abort(reason); return controller.signal; }
    static fire(signal, reason) {
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason;
      const event = { type: 'abort', target: signal };
      if (typeof signal.onabort === 'function') signal.onabort(event);
      for (const listener of signal.#listeners) listener.call(signal, event);
    }
  }
  class AbortController {
    signal = new AbortSignal();
    abort(reason = named('AbortError', 'This operation was aborted')) { AbortSignal.fire(this.signal, reason); }
  }
  const named = (name, message) => Object.assign(new Error(message), { name });

  class FormData {
    #pairs = [];
    append(name, value) { this.#pairs.push([String(name), String(value)]); }
    get(name) { return this.#pairs.find(pair => pair[0] === name)?.[1] ?? null; }
    [Symbol.iterator]() { return this.#pairs[Symbol.iterator](); }
  }

  /// The body as text, and what it is where the headers do not say.
  function payload(body, headers) {
    const standard = type => { if (!headers.has('content-type')) headers.set('content-type', type); };
    if (body === null || body === undefined) return null;
    if (body instanceof FormData) {
      const boundary = '----formdata-' + load('crypto').randomUUID();
      headers.set('content-type', 'multipart/form-data; boundary=' + boundary);
      const part = ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name.replace(/"/g, '%22')}"\r\n\r\n${value}\r\n`;
      return [...body].map(part).join('') + `--${boundary}--\r\n`;
    }
    if (body instanceof URLSearchParams) {
      standard('application/x-www-form-urlencoded;charset=UTF-8');
      return String(body);
    }
    if (body instanceof Uint8Array || body instanceof ArrayBuffer) return load('buffer').Buffer.from(body).toString();
    standard('text/plain;charset=UTF-8');
    return String(body);
  }

  async function fetch(input, init) {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.username || url.password) throw new TypeError('Request cannot be constructed from a URL that includes credentials: ' + request.url);
    if ((request.method === 'GET' || request.method === 'HEAD') && request.body !== null) {
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    }
    const body = payload(request.body, request.headers);
    request.signal?.throwIfAborted();
    const asked = call('fetch', { url: request.url, method: request.method, headers: Object.fromEntries(request.headers), body });
    const aborted = request.signal && new Promise((_, refuse) => {
      request.signal.addEventListener('abort', () => refuse(request.signal.reason));
    });
    let answer;
    try {
      answer = await (aborted ? Promise.race([asked, aborted]) : asked);
    } catch (error) {
      if (request.signal?.aborted) throw error;
      throw Object.assign(new TypeError('fetch failed: ' + error.message), { cause: error });
    }
    return new Response(answer.body, { ...answer, url: request.url });
  }

  return { fetch, Headers, Request, Response, AbortController, AbortSignal, FormData };
})
