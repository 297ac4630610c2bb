// structuredClone, for what a script has: data, not ports and streams.
(function () {
  'use strict';
  function clone(value, seen) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw Object.assign(new Error(`${typeof value} could not be cloned.`), { name: 'DataCloneError', code: 25 });
    }
    if (value === null || typeof value !== 'object') return value;
    if (seen.has(value)) return seen.get(value);
    const keep = copy => { seen.set(value, copy); return copy; };
    if (value instanceof Date) return keep(new Date(+value));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const type = value instanceof DataView ? DataView : Object.getPrototypeOf(Uint8Array).prototype.constructor;
      const buffer = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
      return keep(type === DataView ? new DataView(buffer) : new (globalThis[value[Symbol.toStringTag]])(buffer));
    }
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const item of value) copy.add(clone(item, seen));
      return copy;
    }
    if (value instanceof Error) {
      const copy = keep(new Error(value.message));
      Object.defineProperty(copy, 'name', { value: value.name, configurable: true, writable: true });
      return copy;
    }
    const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) {
      Object.defineProperty(copy, key, {
        value: clone(value[key], seen), writable: true, enumerable: true, configurable: true,
      });
    }
    return copy;
  }
  return { structuredClone: value => clone(value, new Map()) };
})
