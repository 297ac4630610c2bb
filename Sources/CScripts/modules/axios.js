// axios, over fetch.
(function (tools) {
  'use strict';
  const { load } = tools;
  const { fetch, AbortController } = load('fetch');
  const { URL, URLSearchParams } = load('url');
  const { Buffer } = load('buffer');

  class AxiosError extends Error {
    constructor(message, code, config, request, response) {
      super(message);
      Object.assign(this, { name: 'AxiosError', code, config, request, response, isAxiosError: true });
      if (response) this.status = response.status;
    }
    toJSON() { return { message: this.message, name: this.name, code: this.code, status: this.response?.status ?? null }; }
  }

  function address(config) {
    let url = String(config.url ?? '');
    if (config.baseURL && !/^([a-z][a-z\d+\-.]*:)?\/\//i.test(url)) {
      url = url ? config.baseURL.replace(/\/+$/, '') + '/' + url.replace(/^\/+/, '') : config.baseURL;
    }
    const result = new URL(url);
    const params = config.params instanceof URLSearchParams ? Object.fromEntries(config.params) : config.params ?? {};
    for (const [name, value] of Object.entries(params)) {
      if (value === undefined || value === null) continue;
      if (Array.isArray(value)) for (const each of value) result.searchParams.append(name + '[]', each);
      else result.searchParams.append(name, value instanceof Date ? value.toISOString() : typeof value === 'object' ? JSON.stringify(value) : value);
    }
    return result.href;
  }

  function headersOf(config, method) {
    const headers = { accept: 'application/json, text/plain, */*' };
    const given = { ...config.headers?.common, ...config.headers?.[method], ...config.headers };
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && value !== null && typeof value !== 'object') headers[name.toLowerCase()] = String(value);
    }
    return headers;
  }

  function decoded(text) {
    try { return decodeURIComponent(text); } catch { return text; }
  }

  // `auth` of the request; else the user of the address, whom no request may have in its address.
  function authorize(config, url, headers) {
    const user = config.auth ?? { username: decoded(url.username), password: decoded(url.password) };
    url.username = url.password = '';
    if (!config.auth && !user.username && !user.password) return;
    headers.authorization = 'Basic ' + Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64');
  }

  function payload(data, headers) {
    if (data === undefined || data === null) return undefined;
    if (data instanceof URLSearchParams) {
      headers['content-type'] ??= 'application/x-www-form-urlencoded;charset=utf-8';
      return data.toString();
    }
    if (typeof data === 'string' || data instanceof Uint8Array) {
      headers['content-type'] ??= 'application/x-www-form-urlencoded';
      return data;
    }
    if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(data).toString();
    headers['content-type'] ??= 'application/json';
    return JSON.stringify(data);
  }

  function create(defaults = {}) {
    const handlers = { request: [], response: [] };
    const use = list => (done, failed) => list.push({ done, failed }) - 1;

    async function send(config) {
      const method = String(config.method ?? 'get').toLowerCase();
      const headers = headersOf(config, method);
      const transforms = [].concat(config.transformRequest ?? []);
      const data = transforms.reduce((value, transform) => transform(value, headers), config.data);
      const hasBody = !['get', 'head'].includes(method);
      const body = hasBody ? payload(data, headers) : undefined;
      const controller = new AbortController();
      config.signal?.addEventListener('abort', () => controller.abort());
      const timer = config.timeout && setTimeout(() => controller.abort('timeout'), config.timeout);
      const request = { method: method.toUpperCase(), path: config.url };
      let raw, text;
      try {
        const url = new URL(address(config));
        authorize(config, url, headers);
        raw = await fetch(url.href, { method: method.toUpperCase(), headers, body, signal: controller.signal });
        text = await raw.text();
      } catch (error) {
        if (error === 'timeout') throw new AxiosError(`timeout of ${config.timeout}ms exceeded`, 'ECONNABORTED', config, request);
        throw new AxiosError(error.message, error.code ?? 'ERR_NETWORK', config, request);
      } finally { clearTimeout(timer); }
      let value = text;
      if (config.responseType === 'arraybuffer') value = Buffer.from(text);
      else if (config.responseType !== 'text') try { value = JSON.parse(text); } catch { /* No JSON: the text is the value. */ }
      value = [].concat(config.transformResponse ?? []).reduce((result, transform) => transform(result), value);
      const response = { data: value, status: raw.status, statusText: raw.statusText, headers: Object.fromEntries(raw.headers), config, request };
      const isValid = config.validateStatus === undefined ? raw.ok : !config.validateStatus || config.validateStatus(raw.status);
      if (isValid) return response;
      throw new AxiosError('Request failed with status code ' + raw.status,
        raw.status < 500 ? 'ERR_BAD_REQUEST' : 'ERR_BAD_RESPONSE', config, request, response);
    }

    function request(input, more) {
      const given = typeof input === 'string' ? { ...more, url: input } : { ...input };
      const config = { ...instance.defaults, ...given, headers: { ...instance.defaults.headers, ...given.headers } };
      let result = Promise.resolve(config);
      for (const { done, failed } of handlers.request.toReversed()) result = result.then(done, failed);
      result = result.then(send);
      for (const { done, failed } of handlers.response) result = result.then(done, failed);
      return result;
    }

    const instance = Object.assign((input, more) => request(input, more), {
      request, defaults: { headers: {}, ...defaults },
      interceptors: { request: { use: use(handlers.request), eject() {} }, response: { use: use(handlers.response), eject() {} } },
      getUri: config => address({ ...instance.defaults, ...config }),
    });
    for (const method of ['get', 'delete', 'head', 'options']) {
      instance[method] = (url, config) => request({ ...config, method, url });
    }
    for (const method of ['post', 'put', 'patch']) {
      instance[method] = (url, data, config) => request({ ...config, method, url, data });
    }
    return instance;
  }

  const axios = create();
  return Object.assign(axios, {
    create: defaults => create({ ...axios.defaults, ...defaults }), AxiosError, default: axios,
    isAxiosError: value => value?.isAxiosError === true, all: values => Promise.all(values), spread: callback => values => callback(...values),
  });
})
