// Digests, random values and RSA signatures.
(function (tools) {
  'use strict';
  const { native, load } = tools;
  const { Buffer } = load('buffer');

  function bytes(value, encoding) {
    if (typeof value === 'string') return Buffer.from(value, encoding);
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw Object.assign(new TypeError('The data must be a string, a Buffer, a TypedArray or a DataView'), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
  const buffer = array => Buffer.from(array.buffer, array.byteOffset, array.length);
  const output = (array, encoding) => encoding && encoding !== 'buffer' ? buffer(array).toString(encoding) : buffer(array);

  class Hash {
    #compute; #parts = []; #isDone = false;
    constructor(compute) { this.#compute = compute; }
    update(data, encoding) {
      if (this.#isDone) throw Object.assign(new Error('Digest already called'), { code: 'ERR_CRYPTO_HASH_FINALIZED' });
      this.#parts.push(Uint8Array.from(bytes(data, encoding)));
      return this;
    }
    digest(encoding) {
      if (this.#isDone) throw Object.assign(new Error('Digest already called'), { code: 'ERR_CRYPTO_HASH_FINALIZED' });
      this.#isDone = true;
      return output(this.#compute(Buffer.concat(this.#parts)), encoding);
    }
  }
  function createHash(algorithm) {
    native.hash(algorithm, new Uint8Array(0));
    return new Hash(data => native.hash(algorithm, data));
  }
  function createHmac(algorithm, key) {
    const secret = Uint8Array.from(bytes(key));
    native.hmac(algorithm, secret, new Uint8Array(0));
    return new Hash(data => native.hmac(algorithm, secret, data));
  }

  const pem = key => typeof key === 'object' && !(key instanceof Uint8Array) ? pem(key.key) : String(key);
  function createSign(algorithm) {
    const parts = [];
    return {
      update(data, encoding) { parts.push(Uint8Array.from(bytes(data, encoding))); return this; },
      sign(key, encoding) { return output(native.rsaSign(algorithm, pem(key), Buffer.concat(parts)), encoding); },
    };
  }
  function createVerify(algorithm) {
    const parts = [];
    return {
      update(data, encoding) { parts.push(Uint8Array.from(bytes(data, encoding))); return this; },
      verify(key, signature, encoding) {
        return native.rsaVerify(algorithm, pem(key), Buffer.concat(parts), bytes(signature, encoding));
      },
    };
  }

  function random(count) {
    const array = new Uint8Array(count);
    for (let start = 0; start < count; start += 65536) array.set(native.random(Math.min(65536, count - start)), start);
    return array;
  }
  function randomBytes(count, callback) {
    const value = buffer(random(count));
    if (callback) return void queueMicrotask(() => callback(null, value));
    return value;
  }
  function randomUUID() {
    const array = random(16);
    array[6] = array[6] & 15 | 64;
    array[8] = array[8] & 63 | 128;
    return array.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
  function randomInt(low, high, callback) {
    if (high === undefined || typeof high === 'function') [low, high, callback] = [0, low, high];
    const range = high - low;
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || range <= 0 || range > 2 ** 48 - 1) {
      throw new RangeError('The value of "max" is out of range');
    }
    const most = 2 ** 48 - 2 ** 48 % range;
    let value;
    do { value = buffer(random(6)).reduce((sum, byte) => sum * 256 + byte, 0); } while (value >= most);
    const result = low + value % range;
    if (callback) return void queueMicrotask(() => callback(null, result));
    return result;
  }
  function getRandomValues(array) {
    if (!ArrayBuffer.isView(array) || array instanceof DataView || array.byteLength > 65536) {
      throw new TypeError('An integer TypedArray of at most 65536 bytes is needed');
    }
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(random(array.byteLength));
    return array;
  }
  function timingSafeEqual(left, right) {
    const [one, other] = [bytes(left), bytes(right)];
    if (one.length !== other.length) {
      throw Object.assign(new RangeError('Input buffers must have the same byte length'), {
        code: 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH',
      });
    }
    let difference = 0;
    for (let index = 0; index < one.length; index++) difference |= one[index] ^ other[index];
    return difference === 0;
  }
  function pbkdf2Sync(password, salt, rounds, length, digest = 'sha1') {
    return buffer(native.pbkdf2(digest, bytes(password), bytes(salt), rounds, length));
  }
  function pbkdf2(password, salt, rounds, length, digest, callback) {
    let key, failure = null;
    try { key = pbkdf2Sync(password, salt, rounds, length, digest); } catch (error) { failure = error; }
    queueMicrotask(() => callback(failure, key));
  }

  const arrayBuffer = array => array.buffer.slice(array.byteOffset, array.byteOffset + array.byteLength);
  const nameOf = algorithm => typeof algorithm === 'string' ? algorithm : algorithm.name;
  const subtle = {
    async digest(algorithm, data) { return arrayBuffer(native.hash(nameOf(algorithm), bytes(data))); },
    async importKey(format, data, algorithm, extractable, usages) {
      if (format !== 'raw' || nameOf(algorithm).toUpperCase() !== 'HMAC') {
        throw Object.assign(new Error('Only raw keys for HMAC can be imported here'), { name: 'NotSupportedError' });
      }
      const hash = nameOf(algorithm.hash);
      return { type: 'secret', extractable, algorithm: { name: 'HMAC', hash: { name: hash } }, usages, data: Uint8Array.from(bytes(data)) };
    },
    async sign(algorithm, key, data) { return arrayBuffer(native.hmac(key.algorithm.hash.name, key.data, bytes(data))); },
    async verify(algorithm, key, signature, data) {
      const [given, right] = [bytes(signature), native.hmac(key.algorithm.hash.name, key.data, bytes(data))];
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
  const webcrypto = { getRandomValues, randomUUID, subtle };

  return {
    createHash, createHmac, createSign, createVerify, randomBytes, randomUUID, randomInt, getRandomValues, timingSafeEqual,
    pbkdf2, pbkdf2Sync, webcrypto, subtle,
    hash: (algorithm, data, encoding = 'hex') => output(native.hash(algorithm, bytes(data)), encoding),
    getHashes: () => ['md5', 'sha1', 'sha256', 'sha384', 'sha512'],
    randomFillSync: getRandomValues, pseudoRandomBytes: randomBytes, constants: {},
  };
})
