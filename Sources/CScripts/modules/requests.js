// Node's http.request over fetch: the answer comes as one piece of data.
(function (tools) {
  'use strict';
  const { load } = tools;
  const { URL } = load('url');
  const { fetch } = load('fetch');
  const { Buffer } = load('buffer');
  const EventEmitter = load('events');

  class IncomingMessage extends EventEmitter {
    #body; #encoding; #isFlowing = false;
    constructor(response, body) {
      super();
      this.#body = body;
      Object.assign(this, {
        statusCode: response.status, statusMessage: response.statusText, headers: Object.fromEntries(response.headers),
        httpVersion: '1.1', complete: true,
      });
    }
    setEncoding(encoding) { this.#encoding = encoding; return this; }
    on(name, listener) {
      super.on(name, listener);
      if (name === 'data' || name === 'end') this.resume();
      return this;
    }
    resume() {
      if (this.#isFlowing) return this;
      this.#isFlowing = true;
      setImmediate(() => {
        const data = Buffer.from(this.#body);
        if (data.length > 0) this.emit('data', this.#encoding ? data.toString(this.#encoding) : data);
        this.emit('end');
        this.emit('close');
      });
      return this;
    }
    pause() { return this; }
    destroy() { return this; }
    async *[Symbol.asyncIterator]() { yield Buffer.from(this.#body); }
  }

  class ClientRequest extends EventEmitter {
    #url; #options; #parts = []; #controller; #isDone = false;
    constructor(url, options, listener) {
      super();
      [this.#url, this.#options] = [url, options];
      this.#controller = new (load('fetch').AbortController)();
      this.headers = new (load('fetch').Headers)(options.headers ?? {});
      if (options.auth) this.headers.set('authorization', 'Basic ' + Buffer.from(options.auth).toString('base64'));
      if (listener) this.once('response', listener);
      if (options.timeout) this.setTimeout(options.timeout);
    }
    setHeader(name, value) { this.headers.set(name, value); return this; }
    getHeader(name) { return this.headers.get(name) ?? undefined; }
    setTimeout(delay, listener) {
      if (listener) this.once('timeout', listener);
      setTimeout(() => { if (!this.#isDone) this.emit('timeout'); }, delay);
      return this;
    }
    write(data, encoding) { this.#parts.push(Buffer.from(data, encoding)); return true; }
    destroy(error) { this.#controller.abort(error ?? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })); return this; }
    abort() { return this.destroy(); }
    end(data, encoding) {
      if (typeof data === 'string' || data instanceof Uint8Array) this.write(data, encoding);
      this.#send();
      return this;
    }
    async #send() {
      try {
        const method = (this.#options.method ?? 'GET').toUpperCase();
        this.headers.delete('content-length');
        const body = this.#parts.length ? Buffer.concat(this.#parts).toString() : undefined;
        const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
        const response = await fetch(this.#url, {
          method, headers: this.headers, body: hasBody ? body : undefined, signal: this.#controller.signal,
        });
        this.#isDone = true;
        this.emit('response', new IncomingMessage(response, await response.text()));
      } catch (error) {
        this.#isDone = true;
        try { this.emit('error', error); } catch (unheard) { tools.fail(unheard); }
      }
    }
  }

  return function make(protocol) {
    function request(input, options, listener) {
      if (typeof options === 'function') [options, listener] = [{}, options];
      if (typeof input === 'object' && !(input instanceof URL)) [input, options] = [undefined, { ...input, ...options }];
      options ??= {};
      const port = options.port ? ':' + options.port : '';
      const url = input !== undefined ? String(input)
        : `${options.protocol ?? protocol}//${options.hostname ?? String(options.host ?? 'localhost').replace(/:\d+$/, '')}${port}${options.path ?? '/'}`;
      return new ClientRequest(url, options, listener);
    }
    const get = (...values) => request(...values).end();
    class Agent {}
    return { request, get, Agent, globalAgent: new Agent(), METHODS: ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'] };
  };
})
