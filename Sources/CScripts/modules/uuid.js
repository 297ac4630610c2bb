// uuid.
(function (tools) {
  'use strict';
  const crypto = tools.load('crypto');
  const v4 = () => crypto.randomUUID();
  const shape = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|0{8}(?:-0{4}){3}-0{12}|f{8}(?:-f{4}){3}-f{12})$/i;
  const validate = value => typeof value === 'string' && shape.test(value);

  function named(algorithm, version) {
    return Object.assign((name, space) => {
      const prefix = typeof space === 'string' ? Buffer.from(space.replace(/-/g, ''), 'hex') : Buffer.from(space);
      if (prefix.length !== 16) throw new TypeError('Namespace must be array-like (16 iterable integer values, 0-255)');
      const bytes = crypto.createHash(algorithm).update(Buffer.concat([prefix, Buffer.from(name)])).digest().subarray(0, 16);
      bytes[6] = bytes[6] & 15 | version << 4;
      bytes[8] = bytes[8] & 63 | 128;
      return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    }, { DNS: '6ba7b810-9dad-11d1-80b4-00c04fd430c8', URL: '6ba7b811-9dad-11d1-80b4-00c04fd430c8' });
  }
  function version(value) {
    if (!validate(value)) throw new TypeError('Invalid UUID');
    return parseInt(value[14], 16);
  }
  return Object.assign(() => v4(), {
    v4, v3: named('md5', 3), v5: named('sha1', 5), validate, version, NIL: '00000000-0000-0000-0000-000000000000',
  });
})
