// Rules: function (user, context, callback), with what Auth0 gives them as globals. A rule that calls back with an error has
// decided something, which is another thing than one that throws.
(function (host) {
  'use strict';
  const { apply, call, done, effect, fail, freeze, hide, then } = host;
  const { isArray } = Array;
  const [$Promise, $String, $TypeError] = [Promise, String, TypeError];
  const UnauthorizedError = host.makeError('UnauthorizedError');

  function isObject(value) {
    return typeof value === 'object' && value !== null && !isArray(value);
  }

  // Old scripts pass a callback, newer ones wait for the promise.
  function answer(promise, callback) {
    if (typeof callback !== 'function') return promise;
    then(promise, value => callback(null, value), error => callback(error));
  }

  function idOf(parameters) {
    if (typeof parameters === 'string') return parameters;
    return isObject(parameters) ? $String(parameters.id || parameters.user_id || '') : '';
  }

  const users = freeze({
    get: (parameters, callback) => answer(call('users.get', { id: idOf(parameters) }), callback),
    updateAppMetadata: (parameters, metadata, callback) =>
      answer(call('users.updateAppMetadata', { id: idOf(parameters), metadata }), callback),
    updateUserMetadata: (parameters, metadata, callback) =>
      answer(call('users.updateUserMetadata', { id: idOf(parameters), metadata }), callback),
  });

  // What the application is told, whose code the kind of the error decides.
  function refuse(error) {
    let [code, reason] = ['access_denied', error];
    if (isObject(error)) {
      if (error instanceof UnauthorizedError || error.name === 'UnauthorizedError') code = 'unauthorized';
      reason = error.message;
      if (reason === undefined) reason = error.description;
      if (reason === undefined) reason = error.name;
    }
    effect('access.deny', { code, reason: reason === undefined ? '' : $String(reason) });
    done(null);
  }

  return function run(factory, entry, input) {
    const { user, context, configuration = {}, auth0 = {} } = input;
    hide('configuration', freeze(configuration));
    hide('UnauthorizedError', UnauthorizedError);
    hide('auth0', freeze({ domain: auth0.domain, baseUrl: auth0.baseUrl, users }));
    const rule = factory({}, { exports: {} }, host.require);
    if (typeof rule !== 'function') throw new $TypeError('A rule is a function (user, context, callback)');
    let isOver = false;
    function callback(error, newUser, newContext) {
      if (isOver) return;
      isOver = true;
      try {
        if (error) return refuse(error);
        const result = { user: newUser || user, context: newContext || context };
        if (!isObject(result.user) || !isObject(result.context)) {
          throw new $TypeError('callback(null, user, context): user and context must be objects');
        }
        done(result);
      } catch (problem) {
        fail(problem);
      }
    }
    const result = apply(rule, undefined, [user, context, callback]);
    if (result instanceof $Promise) then(result, undefined, fail);
  };
})
