// What scripts use of Node's util.
(function (tools) {
  'use strict';
  const { inspect, format } = tools.load('inspect');
  const custom = Symbol.for('nodejs.util.promisify.custom');

  function promisify(original) {
    if (typeof original !== 'function') throw new TypeError('The "original" argument must be of type function');
    if (original[custom]) return original[custom];
    return function (...values) {
      return new Promise((accept, refuse) => {
        original.call(this, ...values, (error, value) => error ? refuse(error) : accept(value));
      });
    };
  }
  promisify.custom = custom;
  if (typeof setTimeout === 'function') {
    setTimeout[custom] = (delay, value) => new Promise(accept => setTimeout(accept, delay, value));
  }

  function callbackify(original) {
    return function (...values) {
      const callback = values.pop();
      original.apply(this, values).then(value => callback(null, value), error => callback(error));
    };
  }
  function inherits(type, parent) {
    Object.defineProperty(type, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(type.prototype, parent.prototype);
  }
  function isDeepStrictEqual(left, right) {
    if (Object.is(left, right)) return true;
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
    if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
    if (left instanceof Date) return +left === +right;
    if (left instanceof RegExp) return String(left) === String(right);
    if (left instanceof Map || left instanceof Set) return isDeepStrictEqual([...left], [...right]);
    const [keys, others] = [Object.keys(left), Object.keys(right)];
    return keys.length === others.length && keys.every(key => Object.hasOwn(right, key) && isDeepStrictEqual(left[key], right[key]));
  }
  const is = name => value => Object.prototype.toString.call(value) === `[object ${name}]`;
  const { TextEncoder, TextDecoder } = tools.load('buffer');

  return {
    inspect, format: (...values) => format(values), promisify, callbackify, inherits, isDeepStrictEqual, TextEncoder, TextDecoder,
    deprecate: original => original, debuglog: () => () => {}, isArray: Array.isArray,
    types: { isDate: is('Date'), isRegExp: is('RegExp'), isPromise: is('Promise'), isMap: is('Map'), isSet: is('Set') },
  };
})
