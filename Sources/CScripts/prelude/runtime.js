// The first script of every realm: what stands between the tenant's code and the worker's functions (`native`). It takes its
// intrinsics now, before the tenant's code can change them; everything it says to the worker is text.
(function (native) {
  'use strict';
  const { parse, stringify } = JSON;
  const { defineProperty, freeze, hasOwn } = Object;
  const { apply } = Reflect;
  const [$Error, $Map, $Number, $Promise, $String, $TypeError] = [Error, Map, Number, Promise, String, TypeError];
  /// A method as a function of its receiver, which nobody can replace any more.
  const uncurry = Function.prototype.call.bind(Function.prototype.bind, Function.prototype.call);
  const then = uncurry($Promise.prototype.then);
  const resolve = $Promise.resolve.bind($Promise);
  const [get, set, remove] = [uncurry($Map.prototype.get), uncurry($Map.prototype.set), uncurry($Map.prototype.delete)];
  const replace = uncurry($String.prototype.replace);
  const [indexOf, slice, startsWith] = [
    uncurry($String.prototype.indexOf), uncurry($String.prototype.slice), uncurry($String.prototype.startsWith),
  ];

  function hide(name, value) {
    defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  }

  // JSON.stringify writes halves of surrogate pairs as \ud800; many readers refuse them.
  const half = /\\(?:\\|ud[89a-f][0-9a-f]{2})/g;
  function text(value) {
    const json = stringify(value);
    if (json === undefined) {
      if (value === undefined) return 'null';
      throw new $TypeError('A ' + typeof value + ' cannot be written as JSON');
    }
    if (indexOf(json, '\\ud') < 0) return json;
    return replace(json, half, found => found === '\\\\' ? found : '\ufffd');
  }

  function describe(error) {
    const facts = { __proto__: null, name: 'NonError', message: '[unprintable]', code: null, stack: '', line: null };
    try {
      if (error !== null && (typeof error === 'object' || typeof error === 'function')) {
        const { name, message, code, stack, line } = error;
        facts.name = $String(name || 'Error');
        facts.message = message === undefined ? format([error]) : $String(message);
        if (code !== undefined && code !== null) facts.code = $String(code);
        if (typeof stack === 'string') facts.stack = stack;
        if (typeof line === 'number') facts.line = line;
      } else {
        facts.message = typeof error === 'string' ? error : format([error]);
      }
    } catch { /* What cannot be described is described as that. */ }
    return text(facts);
  }

  // The end of the run.
  let ended = false;
  function done(value) {
    if (ended) return;
    let json;
    try { json = text(value); } catch (error) { return fail(error); }
    ended = true;
    native.done(json);
  }
  function fail(error) {
    if (ended) return;
    ended = true;
    native.fail(describe(error));
  }

  // Modules, each made when it is first wanted.
  const loaded = new $Map();
  function load(name) {
    let exports = get(loaded, name);
    if (exports === undefined) {
      exports = native.module(name)(tools);
      set(loaded, name, exports);
    }
    return exports;
  }
  const available = parse(native.modules());

  // Packages of the server's folders, each evaluated when it is first wanted. By path; `null` is the tenant's script.
  const packages = new $Map();
  function find(name, parent) {
    // Without a prototype: the tenant's `toJSON` has no say in what the server is asked.
    const found = parse(native.find(text({ __proto__: null, name, parent })));
    if (found === null) return undefined;
    const { path, source, isJSON } = found;
    let module = get(packages, path);
    if (module !== undefined) return module;
    module = { exports: {}, id: path, filename: path, loaded: false, children: [], paths: [] };
    // It is there while it is evaluated, too: packages' files ask for one another in circles.
    set(packages, path, module);
    try {
      if (isJSON) {
        module.exports = parse(source);
      } else {
        const body = startsWith(source, '#!') ? '//' + source : source;
        const evaluate = native.compile('(function (exports, require, module, __filename, __dirname) {' + body + '\n})', path);
        apply(evaluate, module.exports, [module.exports, requirer(path), module, path, replace(path, /\/[^/]*$/, '')]);
      }
    } catch (error) {
      remove(packages, path);
      throw error;
    }
    module.loaded = true;
    return module;
  }
  function requirer(parent) {
    function require(specifier) {
      let name = $String(specifier);
      if (startsWith(name, 'node:')) name = slice(name, 5);
      const version = indexOf(name, '@', 1);
      // A tenant's script may say which version it was written for.
      if (version > 0 && parent === null) name = slice(name, 0, version);
      for (let index = 0; index < available.length; index++) {
        if (available[index] === name) return load(name);
      }
      const found = find(name, parent);
      if (found !== undefined) return found.exports;
      let list = '';
      for (let index = 0; index < available.length; index++) list += (index ? ', ' : '') + available[index];
      const error = new $Error(
        "Cannot find module '" + $String(specifier) + "'" + (parent === null ? '' : ' for ' + parent) + '. Available are: ' + list
        + ', and what the server has in its folders of packages');
      error.code = 'MODULE_NOT_FOUND';
      throw error;
    }
    defineProperty(require, 'resolve', { value: name => $String(name) });
    defineProperty(require, 'cache', { value: { __proto__: null } });
    return require;
  }
  const require = requirer(null);

  // Console.
  function format(values) { return load('inspect').format(values); }
  function log(level, values) {
    let line;
    try { line = format(values); } catch { line = '[unprintable]'; }
    native.log(level, line);
  }
  const console = {};
  for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace']) {
    console[level] = function (...values) { log(level, values); };
  }
  console.dir = value => log('log', [value]);
  console.assert = (holds, ...values) => { if (!holds) log('error', ['Assertion failed', ...values]); };
  for (const name of ['time', 'timeEnd', 'timeLog', 'group', 'groupEnd', 'table', 'count']) console[name] = () => {};
  hide('console', console);

  // Timers.
  let lastTimer = 0;
  const timers = new $Map();
  function start(callback, delay, values, repeats) {
    if (typeof callback !== 'function') {
      throw new $TypeError('The "callback" argument must be of type function. Received ' + typeof callback);
    }
    const id = ++lastTimer;
    const wait = $Number(delay) || 0;
    set(timers, id, { __proto__: null, callback, wait, values, repeats });
    native.timer(id, wait);
    return id;
  }
  function stop(id) {
    if (remove(timers, $Number(id))) native.clear($Number(id));
  }
  hide('setTimeout', (callback, delay, ...values) => start(callback, delay, values, false));
  hide('setInterval', (callback, delay, ...values) => start(callback, delay, values, true));
  hide('setImmediate', (callback, ...values) => start(callback, 0, values, false));
  for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate']) hide(name, stop);
  hide('queueMicrotask', callback => {
    if (typeof callback !== 'function') throw new $TypeError('The "callback" argument must be of type function');
    then(resolve(), () => { try { callback(); } catch (error) { fail(error); } });
  });
  function fire(id) {
    const timer = get(timers, id);
    if (!timer) return;
    if (timer.repeats) native.timer(id, timer.wait);
    else remove(timers, id);
    try { apply(timer.callback, undefined, timer.values); } catch (error) { fail(error); }
  }

  // Questions to the server.
  let lastCall = 0;
  const calls = new $Map();
  function call(name, values) {
    return new $Promise((accept, refuse) => {
      const id = ++lastCall;
      native.call(id, $String(name), text({ __proto__: null, ...values }));
      set(calls, id, { __proto__: null, accept, refuse });
    });
  }
  function answer(id, isValue, value) {
    const asked = get(calls, id);
    if (!asked) return;
    remove(calls, id);
    if (isValue) asked.accept(parse(value));
    else asked.refuse(new $Error(value));
  }

  function makeError(name) {
    const type = class extends $Error {};
    defineProperty(type, 'name', { value: name });
    defineProperty(type.prototype, 'name', { value: name, writable: true, enumerable: false, configurable: true });
    return type;
  }

  const host = freeze({
    __proto__: null, done, fail, call, require, makeError, hide, text, parse, apply, then, resolve, freeze, hasOwn, uncurry,
    effect(op, value) { if (!ended) native.effect($String(op), text(value)); },
    log(level, ...values) { log(level, values); },
  });
  const tools = freeze({ __proto__: null, native, load, call, hide, makeError, fail, text });

  // What Node has as globals, made when it is first wanted.
  function later(module, names) {
    for (const name of names) {
      defineProperty(globalThis, name, {
        configurable: true, enumerable: false,
        get() { const value = load(module)[name]; hide(name, value); return value; },
        set(value) { hide(name, value); },
      });
    }
  }
  later('buffer', ['Buffer', 'atob', 'btoa', 'TextEncoder', 'TextDecoder']);
  later('url', ['URL', 'URLSearchParams']);
  later('fetch', ['fetch', 'Headers', 'Request', 'Response', 'AbortController', 'AbortSignal', 'FormData']);
  later('clone', ['structuredClone']);
  defineProperty(globalThis, 'crypto', {
    configurable: true, enumerable: false, get() { return load('crypto').webcrypto; }, set(value) { hide('crypto', value); },
  });
  hide('process', {
    env: {}, argv: [], version: 'v22.0.0', versions: { node: '22.0.0' }, platform: 'linux',
    nextTick(callback, ...values) { then(resolve(), () => { try { callback(...values); } catch (error) { fail(error); } }); },
    hrtime: Object.assign(() => [native.now() / 1000 | 0, native.now() % 1000 * 1e6 | 0], { bigint: () => BigInt(native.now()) * 1000000n }),
    uptime: () => native.now() / 1000,
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0 }),
  });
  hide('performance', { now: () => native.now(), timeOrigin: Date.now() });
  hide('global', globalThis);

  // Promises that nobody waits for. What such a one was rejected with is why a script never ends.
  let rejection;
  function rejected(promise, reason) {
    if (ended) return;
    if (!rejection) rejection = { reason };
    log('error', ['Unhandled promise rejection:', reason]);
  }
  function unsettled() {
    if (rejection) fail(rejection.reason);
  }

  let run;
  return {
    __proto__: null, fire, answer, describe, rejected, unsettled,
    /// Evaluates the prelude of a kind, while the realm is as it was.
    use(kind) { run = kind(host); },
    start(factory, entry, input) {
      try {
        const result = run(factory, entry, parse(input));
        if (result instanceof $Promise) then(result, undefined, fail);
      } catch (error) { fail(error); }
    },
  };
})
