// assert.
(function (tools) {
  'use strict';
  const { inspect, isDeepStrictEqual } = tools.load('util');

  class AssertionError extends Error {
    constructor({ message, actual, expected, operator }) {
      super(message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`);
      Object.assign(this, { name: 'AssertionError', code: 'ERR_ASSERTION', actual, expected, operator, generatedMessage: !message });
    }
  }
  function check(holds, message, actual, expected, operator) {
    if (holds) return;
    if (message instanceof Error) throw message;
    throw new AssertionError({ message, actual, expected, operator });
  }
  function looselyEqual(left, right) {
    if (left == right) return true;
    if (typeof left !== 'object' || typeof right !== 'object' || !left || !right) return false;
    const [keys, others] = [Object.keys(left), Object.keys(right)];
    return keys.length === others.length && keys.every(key => looselyEqual(left[key], right[key]));
  }
  function fits(error, expected) {
    if (expected === undefined) return true;
    if (expected instanceof RegExp) return expected.test(String(error));
    if (typeof expected === 'function') return expected.prototype !== undefined && error instanceof expected || expected.call({}, error) === true;
    return Object.keys(expected).every(key => expected[key] instanceof RegExp ? expected[key].test(error[key]) : isDeepStrictEqual(error[key], expected[key]));
  }

  const ok = (value, message) => check(value, message ?? 'The expression evaluated to a falsy value', value, true, '==');
  const assert = Object.assign((value, message) => ok(value, message), {
    ok, AssertionError,
    fail(message = 'Failed') { check(false, message); },
    equal: (actual, expected, message) => check(actual == expected || actual !== actual && expected !== expected, message, actual, expected, '=='),
    notEqual: (actual, expected, message) => check(actual != expected, message, actual, expected, '!='),
    strictEqual: (actual, expected, message) => check(Object.is(actual, expected), message, actual, expected, '==='),
    notStrictEqual: (actual, expected, message) => check(!Object.is(actual, expected), message, actual, expected, '!=='),
    deepEqual: (actual, expected, message) => check(looselyEqual(actual, expected), message, actual, expected, 'deepEqual'),
    deepStrictEqual: (actual, expected, message) => check(isDeepStrictEqual(actual, expected), message, actual, expected, 'deepStrictEqual'),
    notDeepStrictEqual: (actual, expected, message) => check(!isDeepStrictEqual(actual, expected), message, actual, expected, 'notDeepStrictEqual'),
    match: (text, pattern, message) => check(pattern.test(text), message, text, pattern, 'match'),
    ifError(error) { if (error !== null && error !== undefined) throw error; },
    throws(body, expected, message) {
      let thrown;
      try { body(); } catch (error) { thrown = { error }; }
      check(thrown, message ?? 'Missing expected exception.');
      if (!fits(thrown.error, expected)) throw thrown.error;
    },
    async rejects(body, expected, message) {
      let thrown;
      try { await (typeof body === 'function' ? body() : body); } catch (error) { thrown = { error }; }
      check(thrown, message ?? 'Missing expected rejection.');
      if (!fits(thrown.error, expected)) throw thrown.error;
    },
  });
  return Object.assign(assert, { strict: assert, default: assert });
})
