// URL and URLSearchParams (https://url.spec.whatwg.org), and what is left of Node's older functions.
(function () {
  'use strict';
  const PORTS = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21' };

  function invalid(input) {
    return Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: String(input) });
  }

  /// Percent-encodes what does not match, as UTF-8.
  function escape(text, allowed) {
    let result = '';
    for (const character of String(text).toWellFormed()) {
      result += allowed.test(character) ? character : encodeURIComponent(character)
        .replace(/^[!'()*~]$/, unit => '%' + unit.charCodeAt(0).toString(16).toUpperCase());
    }
    return result;
  }
  const PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/[\]|\\^]$/;
  const QUERY = /^[A-Za-z0-9\-._~!$&()*+,;=:@%/?[\]|\\^`{}]$/;
  const FRAGMENT = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/?[\]|\\^{}#]$/;
  const USER = /^[A-Za-z0-9\-._~!$&'()*+,%]$/;

  function decodeForm(text) {
    const plain = text.replace(/\+/g, ' ');
    if (!plain.includes('%')) return plain;
    const bytes = [];
    for (let index = 0; index < plain.length; index++) {
      const escaped = /^%([0-9a-fA-F]{2})/.exec(plain.slice(index, index + 3));
      if (escaped) { bytes.push(parseInt(escaped[1], 16)); index += 2; continue; }
      const point = String.fromCodePoint(plain.codePointAt(index));
      bytes.push(...new TextEncoder().encode(point));
      index += point.length - 1;
    }
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }
  function encodeForm(text) {
    return encodeURIComponent(String(text).toWellFormed()).replace(/%20/g, '+')
      .replace(/[!'()~]/g, unit => '%' + unit.charCodeAt(0).toString(16).toUpperCase());
  }

  class URLSearchParams {
    #pairs = [];
    #changed = () => {};

    constructor(init = '', changed) {
      if (typeof changed === 'function') this.#changed = changed;
      if (init !== null && typeof init === 'object') {
        const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
        for (const pair of pairs) {
          const [name, value] = pair;
          this.#pairs.push([String(name), String(value)]);
        }
      } else {
        this.#read(String(init));
      }
    }
    #read(text) {
      for (const part of text.replace(/^\?/, '').split('&')) {
        if (part === '') continue;
        const sign = part.indexOf('=');
        this.#pairs.push(sign < 0
          ? [decodeForm(part), ''] : [decodeForm(part.slice(0, sign)), decodeForm(part.slice(sign + 1))]);
      }
    }
    get size() { return this.#pairs.length; }
    append(name, value) { this.#pairs.push([String(name), String(value)]); this.#changed(this); }
    delete(name, value) {
      this.#pairs = this.#pairs.filter(pair => pair[0] !== String(name) || value !== undefined && pair[1] !== String(value));
      this.#changed(this);
    }
    get(name) { return this.#pairs.find(pair => pair[0] === String(name))?.[1] ?? null; }
    getAll(name) { return this.#pairs.filter(pair => pair[0] === String(name)).map(pair => pair[1]); }
    has(name, value) {
      return this.#pairs.some(pair => pair[0] === String(name) && (value === undefined || pair[1] === String(value)));
    }
    set(name, value) {
      const index = this.#pairs.findIndex(pair => pair[0] === String(name));
      if (index < 0) return this.append(name, value);
      this.#pairs[index][1] = String(value);
      this.#pairs = this.#pairs.filter((pair, at) => at <= index || pair[0] !== String(name));
      this.#changed(this);
    }
    sort() { this.#pairs.sort((left, right) => left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0); this.#changed(this); }
    forEach(callback, receiver) { for (const [name, value] of this) callback.call(receiver, value, name, this); }
    *entries() { for (const [name, value] of this.#pairs) yield [name, value]; }
    *keys() { for (const [name] of this.#pairs) yield name; }
    *values() { for (const [, value] of this.#pairs) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    get [Symbol.toStringTag]() { return 'URLSearchParams'; }
    toString() { return this.#pairs.map(([name, value]) => encodeForm(name) + '=' + encodeForm(value)).join('&'); }
  }

  function host(text, special, input) {
    if (text.startsWith('[')) {
      if (!/^\[[0-9a-fA-F:.]+\]$/.test(text)) throw invalid(input);
      return text.toLowerCase();
    }
    if (!special) return escape(text, /^[A-Za-z0-9\-._~!$&'()*+,;=%]$/);
    let name;
    try { name = decodeURIComponent(text).toLowerCase(); } catch { throw invalid(input); }
    if (name === '' || /[\0-\x20#%/:<>?@[\\\]^|\x7f]/.test(name)) throw invalid(input);
    if (/[^\0-\x7f]/.test(name)) name = name.split('.').map(label => /[^\0-\x7f]/.test(label) ? punycode(label) : label).join('.');
    return address(name, input);
  }

  /// Numbers are addresses in many notations (127.1, 0x7f000001), and all of them one address.
  function address(name, input) {
    const parts = name.replace(/\.$/, '').split('.');
    if (!/^(0x[0-9a-f]*|[0-9]+)$/.test(parts[parts.length - 1])) return name;
    const numbers = parts.map(part => {
      if (/^0x[0-9a-f]*$/.test(part)) return parseInt(part.slice(2) || '0', 16);
      if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
      return /^[0-9]+$/.test(part) ? parseInt(part, 10) : NaN;
    });
    const last = numbers.pop();
    if (numbers.length > 3 || numbers.some(number => !(number <= 255)) || !(last < 256 ** (4 - numbers.length))) {
      throw invalid(input);
    }
    const whole = numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last);
    return [24, 16, 8, 0].map(shift => Math.floor(whole / 2 ** shift) % 256).join('.');
  }

  /// RFC 3492
  function punycode(label) {
    const points = [...label.normalize('NFC')].map(character => character.codePointAt(0));
    let output = points.filter(point => point < 128).map(point => String.fromCharCode(point)).join('');
    let [code, delta, bias, handled] = [128, 0, 72, output.length];
    const basic = handled;
    if (basic > 0) output += '-';
    while (handled < points.length) {
      const next = Math.min(...points.filter(point => point >= code));
      delta += (next - code) * (handled + 1);
      code = next;
      for (const point of points) {
        if (point < code) delta++;
        if (point !== code) continue;
        let rest = delta;
        for (let base = 36; ; base += 36) {
          const limit = base <= bias ? 1 : base >= bias + 26 ? 26 : base - bias;
          if (rest < limit) break;
          const digit = limit + (rest - limit) % (36 - limit);
          output += String.fromCharCode(digit < 26 ? digit + 97 : digit + 22);
          rest = Math.floor((rest - limit) / (36 - limit));
        }
        output += String.fromCharCode(rest < 26 ? rest + 97 : rest + 22);
        delta = handled === basic ? Math.floor(delta / 700) : delta >> 1;
        delta += Math.floor(delta / (handled + 1));
        let steps = 0;
        while (delta > 455) { delta = Math.floor(delta / 35); steps += 36; }
        bias = Math.floor(steps + 36 * delta / (delta + 38));
        delta = 0;
        handled++;
      }
      delta++;
      code++;
    }
    return 'xn--' + output;
  }

  function path(segments) {
    const result = [];
    segments.forEach((segment, index) => {
      const plain = segment.replace(/%2e/gi, '.');
      const isLast = index === segments.length - 1;
      if (plain === '..') {
        result.pop();
        if (isLast) result.push('');
      } else if (plain === '.') {
        if (isLast) result.push('');
      } else {
        result.push(escape(segment, PATH));
      }
    });
    return '/' + result.join('/');
  }

  class URL {
    #protocol; #username = ''; #password = ''; #hostname = ''; #port = ''; #pathname; #search = ''; #hash = '';
    #params;

    constructor(input, base) {
      const text = String(input).replace(/^[\0-\x20]+|[\0-\x20]+$/g, '').replace(/[\t\n\r]/g, '');
      const scheme = /^([A-Za-z][A-Za-z0-9+.-]*:)([^]*)$/.exec(text);
      if (!scheme) {
        if (base === undefined) throw invalid(input);
        this.#relative(text, base instanceof URL ? base : new URL(base), input);
      } else {
        this.#protocol = scheme[1].toLowerCase();
        this.#absolute(scheme[2], input);
      }
      this.#params = new URLSearchParams(this.#search, params => {
        const query = params.toString();
        this.#search = query && '?' + query;
      });
    }

    get #special() { return Object.hasOwn(PORTS, this.#protocol); }

    #absolute(text, input) {
      const [, before, query, fragment] = /^([^?#]*)(\?[^#]*)?(#[^]*)?$/.exec(text);
      this.#tail(query, fragment);
      const rest = this.#special ? before.replace(/\\/g, '/').replace(/^\/*/, '//') : before;
      if (!rest.startsWith('//')) {
        this.#pathname = rest.startsWith('/') ? path(rest.slice(1).split('/')) : escape(rest, PATH);
        return;
      }
      this.#authority(rest.slice(2), input);
    }

    #authority(text, input) {
      const slash = text.indexOf('/');
      const authority = slash < 0 ? text : text.slice(0, slash);
      const at = authority.lastIndexOf('@');
      if (at >= 0) {
        const [user, ...password] = authority.slice(0, at).split(':');
        this.#username = escape(user, USER);
        this.#password = escape(password.join(':'), USER);
      }
      const place = /^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$/.exec(authority.slice(at + 1));
      if (!place || place[2] > 65535) throw invalid(input);
      this.#hostname = host(place[1], this.#special, input);
      const port = place[2] ? String(Number(place[2])) : '';
      this.#port = port === PORTS[this.#protocol] ? '' : port;
      this.#pathname = slash < 0 ? (this.#special ? '/' : '') : path(text.slice(slash + 1).split('/'));
    }

    #relative(text, base, input) {
      if (!base.hostname && !base.#special) throw invalid(input);
      this.#protocol = base.protocol;
      const [, before, query, fragment] = /^([^?#]*)(\?[^#]*)?(#[^]*)?$/.exec(text);
      const plain = this.#special ? before.replace(/\\/g, '/') : before;
      this.#tail(query, fragment);
      if (plain.startsWith('//')) return this.#authority(plain.slice(2), input);
      [this.#username, this.#password, this.#hostname, this.#port] = [base.username, base.password, base.hostname, base.port];
      if (plain === '') {
        this.#pathname = base.pathname;
        if (query === undefined) this.#search = base.search;
      } else if (plain.startsWith('/')) {
        this.#pathname = path(plain.slice(1).split('/'));
      } else {
        this.#pathname = path([...base.pathname.slice(1).split('/').slice(0, -1), ...plain.split('/')]);
      }
    }

    #tail(query = '', fragment = '') {
      this.#search = query.length > 1 ? '?' + escape(query.slice(1), QUERY) : '';
      this.#hash = fragment.length > 1 ? '#' + escape(fragment.slice(1), FRAGMENT) : '';
    }

    static canParse(input, base) { try { return Boolean(new URL(input, base)); } catch { return false; } }
    static parse(input, base) { try { return new URL(input, base); } catch { return null; } }

    get protocol() { return this.#protocol; }
    set protocol(value) { const name = String(value).replace(/:.*$/, '') + ':'; if (Object.hasOwn(PORTS, name)) this.#protocol = name; }
    get username() { return this.#username; }
    set username(value) { this.#username = escape(value, USER); }
    get password() { return this.#password; }
    set password(value) { this.#password = escape(value, USER); }
    get hostname() { return this.#hostname; }
    set hostname(value) { this.#hostname = host(String(value), this.#special, value); }
    get port() { return this.#port; }
    set port(value) { const port = String(value); this.#port = port === PORTS[this.#protocol] || !/^[0-9]+$/.test(port) ? '' : port; }
    get host() { return this.#hostname + (this.#port && ':' + this.#port); }
    set host(value) { const [name, port = ''] = String(value).split(/:(?=[0-9]*$)/); this.hostname = name; this.port = port; }
    get origin() { return this.#special ? this.#protocol + '//' + this.host : 'null'; }
    get pathname() { return this.#pathname; }
    set pathname(value) { this.#pathname = path(String(value).replace(/^\//, '').split('/')); }
    get search() { return this.#search; }
    set search(value) {
      const text = String(value).replace(/^\?/, '');
      this.#search = text && '?' + escape(text, QUERY);
      this.#params = new URLSearchParams(this.#search, params => {
        const query = params.toString();
        this.#search = query && '?' + query;
      });
    }
    get hash() { return this.#hash; }
    set hash(value) { const text = String(value).replace(/^#/, ''); this.#hash = text && '#' + escape(text, FRAGMENT); }
    get searchParams() { return this.#params; }
    get href() {
      const user = this.#username || this.#password ? this.#username + (this.#password && ':' + this.#password) + '@' : '';
      const place = this.#hostname || this.#special ? '//' + user + this.host : '';
      return this.#protocol + place + this.#pathname + this.#search + this.#hash;
    }
    set href(value) {
      const other = new URL(value);
      this.#protocol = other.protocol;
      [this.#username, this.#password, this.#hostname, this.#port] = [other.username, other.password, other.hostname, other.port];
      [this.#pathname, this.#hash] = [other.pathname, other.hash];
      this.search = other.search;
    }
    get [Symbol.toStringTag]() { return 'URL'; }
    toString() { return this.href; }
    toJSON() { return this.href; }
  }

  function parse(text, parsesQuery) {
    let url;
    try { url = new URL(text); } catch {
      const [, pathname, search = '', hash = ''] = /^([^?#]*)(\?[^#]*)?(#[^]*)?$/.exec(String(text));
      url = { protocol: null, host: null, hostname: null, port: null, pathname, search, hash, href: String(text) };
    }
    const { protocol, host, hostname, port, pathname, search, hash, href, username, password } = url;
    return {
      protocol, slashes: Boolean(host), auth: username ? decodeURIComponent(username) + (password && ':' + decodeURIComponent(password)) : null,
      host, hostname, port: port || null, pathname, path: pathname + search, search: search || null, hash: hash || null, href,
      query: parsesQuery ? Object.fromEntries(new URLSearchParams(search)) : search.replace(/^\?/, '') || null,
    };
  }
  function format(url) {
    if (url instanceof URL || typeof url === 'string') return String(url);
    const search = url.search || (url.query && typeof url.query === 'object' ? '?' + new URLSearchParams(url.query) : url.query ? '?' + url.query : '');
    const place = url.host || (url.hostname ? url.hostname + (url.port ? ':' + url.port : '') : '');
    const protocol = url.protocol ? url.protocol.replace(/:?$/, ':') : '';
    return protocol + (place ? '//' + (url.auth ? url.auth + '@' : '') + place : '') + (url.pathname || (place ? '/' : '')) + search + (url.hash || '');
  }
  const resolve = (from, to) => new URL(to, from).href;

  return { URL, URLSearchParams, parse, format, resolve, domainToASCII: name => host(name, true, name) };
})
