// The script of a connection that finds out who has signed in: function (accessToken, ctx, cb). One that calls back with an
// UnauthorizedError has decided something, which is another thing than one that could not find out.
(function (host) {
  'use strict';
  const { apply, done, effect, fail, hide, then } = host;
  const { defineProperty } = Object;
  const { isArray } = Array;
  const [$Promise, $String, $TypeError] = [Promise, String, TypeError];
  const UnauthorizedError = host.makeError('UnauthorizedError');

  // Such scripts have these without asking for them.
  for (const [name, module] of [['request', 'request'], ['jwt', 'jsonwebtoken']]) {
    defineProperty(globalThis, name, {
      configurable: true, enumerable: false,
      get() { const value = host.require(module); hide(name, value); return value; },
      set(value) { hide(name, value); },
    });
  }

  function isObject(value) {
    return typeof value === 'object' && value !== null && !isArray(value);
  }

  function refuse(error) {
    const reason = error.message;
    effect('access.deny', { code: 'unauthorized', reason: reason === undefined ? '' : $String(reason) });
    done(null);
  }

  return function run(factory, entry, input) {
    hide('UnauthorizedError', UnauthorizedError);
    const script = factory({}, { exports: {} }, host.require);
    if (typeof script !== 'function') throw new $TypeError('fetchUserProfile is a function (accessToken, ctx, cb)');
    let isOver = false;
    function callback(error, profile) {
      if (isOver) return;
      isOver = true;
      try {
        if (error) return error instanceof UnauthorizedError ? refuse(error) : fail(error);
        if (!isObject(profile)) throw new $TypeError('cb(null, profile): the profile must be an object');
        done(profile);
      } catch (problem) {
        fail(problem);
      }
    }
    const result = apply(script, undefined, [input.accessToken, input.context, callback]);
    if (result instanceof $Promise) then(result, undefined, fail);
  };
})
