// Scripts of custom databases: function login(email, password, callback) and its like, with what Auth0 gives them as globals.
// Some errors are answers, such as a wrong password; they are told apart from a script that fails.
(function (host) {
  'use strict';
  const { apply, done, fail, then, hide, freeze } = host;
  const { defineProperty } = Object;
  const [$Promise, $String, $TypeError] = [Promise, String, TypeError];

  // new WrongUsernameOrPasswordError(email, message), new ValidationError(code, message).
  function makeAnswer(name, member) {
    const type = class extends host.makeError(name) {
      constructor(value, message) {
        super(message);
        defineProperty(this, member, { value, writable: true, enumerable: true, configurable: true });
      }
    };
    defineProperty(type, 'name', { value: name });
    return type;
  }
  const answers = {
    __proto__: null,
    WrongUsernameOrPasswordError: makeAnswer('WrongUsernameOrPasswordError', 'userId'),
    ValidationError: makeAnswer('ValidationError', 'code'),
    UnauthorizedError: host.makeError('UnauthorizedError'),
  };

  function end(error) {
    for (const name in answers) {
      if (!(error instanceof answers[name])) continue;
      const { code, message } = error;
      return done({
        __proto__: null, error: name, code: code === undefined || code === null ? null : $String(code), message: $String(message),
      });
    }
    fail(error);
  }

  return function run(factory, entry, input) {
    hide('configuration', freeze(input.configuration || {}));
    for (const name in answers) hide(name, answers[name]);
    const script = factory({}, { exports: {} }, host.require);
    if (typeof script !== 'function') throw new $TypeError('The script is no function ' + entry + '(…, callback)');
    // Before it is saved a script is only read.
    if (input.isTrial) return done(null);
    function callback(error, ...values) {
      try {
        if (error) end(error);
        else done(values);
      } catch (problem) {
        fail(problem);
      }
    }
    const values = [...input.arguments];
    // Scripts from before Auth0 had a context do not expect one.
    const { length } = script;
    if (length > values.length + 1 || input.usesContext && length <= values.length) values.push(input.context || {});
    let result;
    try {
      result = apply(script, undefined, [...values, callback]);
    } catch (error) {
      return end(error);
    }
    if (result instanceof $Promise) then(result, undefined, end);
  };
})
