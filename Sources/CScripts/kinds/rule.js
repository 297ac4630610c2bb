// Rules: function (user, context, callback), with what Auth0 gives them as globals.
(function (host) {
  'use strict';
  const { apply, done, fail, then, hide } = host;
  const $Promise = Promise;
  const UnauthorizedError = host.makeError('UnauthorizedError');

  return function run(factory, entry, input) {
    hide('configuration', input.configuration || {});
    hide('UnauthorizedError', UnauthorizedError);
    const rule = factory({}, { exports: {} }, host.require);
    if (typeof rule !== 'function') throw new TypeError('The rule is no function (user, context, callback)');
    const { user, context } = input;
    function callback(error, newUser, newContext) {
      if (error) return fail(error);
      done({ user: newUser === undefined ? user : newUser, context: newContext === undefined ? context : newContext });
    }
    const result = apply(rule, undefined, [user, context, callback]);
    if (result instanceof $Promise) then(result, undefined, fail);
  };
})
