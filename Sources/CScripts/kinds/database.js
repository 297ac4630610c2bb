// Scripts of custom databases: function login(email, password, callback) and its like.
(function (host) {
  'use strict';
  const { apply, done, fail, then, hide } = host;
  const $Promise = Promise;

  return function run(factory, entry, input) {
    hide('configuration', input.configuration || {});
    for (const name of ['UnauthorizedError', 'ValidationError', 'WrongUsernameOrPasswordError']) {
      hide(name, host.makeError(name));
    }
    const script = factory({}, { exports: {} }, host.require);
    if (typeof script !== 'function') throw new TypeError('The script is no function ' + entry + '(…, callback)');
    function callback(error, ...values) {
      if (error) return fail(error);
      done(values);
    }
    const result = apply(script, undefined, [...input.arguments, callback]);
    if (result instanceof $Promise) then(result, undefined, fail);
  };
})
