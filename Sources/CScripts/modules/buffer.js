// Buffer, base64, and text as bytes.
(function (tools) {
  'use strict';
  const { native } = tools;
  const utf8 = text => native.utf8(String(text));

  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return utf8(text); }
  }

  class TextDecoder {
    #encoding;
    constructor(encoding = 'utf-8') {
      const name = String(encoding).toLowerCase();
      if (!['utf-8', 'utf8', 'latin1', 'iso-8859-1', 'ascii', 'us-ascii', 'windows-1252'].includes(name)) {
        throw new RangeError(`The "${encoding}" encoding is not supported`);
      }
      this.#encoding = name.startsWith('utf') ? 'utf-8' : 'windows-1252';
    }
    get encoding() { return this.#encoding; }
    decode(value = new Uint8Array(0)) {
      const bytes = view(value);
      const text = this.#encoding === 'utf-8' ? native.text(bytes) : latin1(bytes);
      return text.startsWith('\ufeff') ? text.slice(1) : text;
    }
  }

  function view(value) {
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return new Uint8Array(value);
  }

  function latin1(bytes) {
    let text = '';
    for (let start = 0; start < bytes.length; start += 8192) {
      text += String.fromCharCode(...bytes.subarray(start, start + 8192));
    }
    return text;
  }

  function fromBase64(text) {
    const plain = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=[^]*$/, '').replace(/[^A-Za-z0-9+/]/g, '');
    return Uint8Array.fromBase64(plain.length % 4 === 1 ? plain.slice(0, -1) : plain, { lastChunkHandling: 'loose' });
  }

  function fromHex(text) {
    const digits = /^(?:[0-9a-fA-F]{2})*/.exec(text)[0];
    return Uint8Array.fromHex(digits);
  }

  function utf16(text) {
    const bytes = new Uint8Array(text.length * 2);
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      bytes[2 * index] = unit & 255;
      bytes[2 * index + 1] = unit >> 8;
    }
    return bytes;
  }

  function encode(text, encoding = 'utf8') {
    switch (String(encoding).toLowerCase()) {
      case 'utf8': case 'utf-8': return utf8(text);
      case 'base64': case 'base64url': return fromBase64(text);
      case 'hex': return fromHex(text);
      case 'latin1': case 'binary': case 'ascii': return Uint8Array.from(text, unit => unit.charCodeAt(0));
      case 'utf16le': case 'utf-16le': case 'ucs2': case 'ucs-2': return utf16(text);
      default: throw Object.assign(new TypeError('Unknown encoding: ' + encoding), { code: 'ERR_UNKNOWN_ENCODING' });
    }
  }

  function decode(bytes, encoding = 'utf8') {
    switch (String(encoding).toLowerCase()) {
      case 'utf8': case 'utf-8': return native.text(bytes);
      case 'base64': return bytes.toBase64();
      case 'base64url': return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
      case 'hex': return bytes.toHex();
      case 'latin1': case 'binary': return latin1(bytes);
      case 'ascii': return latin1(bytes.map(byte => byte & 127));
      case 'utf16le': case 'utf-16le': case 'ucs2': case 'ucs-2': {
        let text = '';
        for (let index = 0; index + 1 < bytes.length; index += 2) {
          text += String.fromCharCode(bytes[index] | bytes[index + 1] << 8);
        }
        return text;
      }
      default: throw Object.assign(new TypeError('Unknown encoding: ' + encoding), { code: 'ERR_UNKNOWN_ENCODING' });
    }
  }

  function buffer(bytes) { return new $Buffer(bytes.buffer, bytes.byteOffset, bytes.length); }

  class $Buffer extends Uint8Array {
    // Methods of arrays answer buffers, as Node's do.
    static get [Symbol.species]() { return $Buffer; }

    static from(value, encoding, length) {
      if (typeof value === 'string') return buffer(encode(value, encoding));
      if (value instanceof ArrayBuffer) return new $Buffer(value, encoding, length);
      if (value && value.type === 'Buffer' && Array.isArray(value.data)) return buffer(Uint8Array.from(value.data));
      if (value === null || value === undefined || typeof value === 'number') {
        throw new TypeError('The first argument must be a string, a Buffer, an ArrayBuffer, an Array or like an Array');
      }
      return buffer(Uint8Array.from(value));
    }
    static alloc(size, fill = 0, encoding) { return new $Buffer(size).fill(fill, 0, size, encoding); }
    static allocUnsafe(size) { return new $Buffer(size); }
    static allocUnsafeSlow(size) { return new $Buffer(size); }
    static isBuffer(value) { return value instanceof $Buffer; }
    static isEncoding(name) {
      return /^(utf-?8|base64(url)?|hex|latin1|binary|ascii|utf-?16le|ucs-?2)$/i.test(String(name));
    }
    static byteLength(value, encoding) {
      return typeof value === 'string' ? encode(value, encoding).length : value.byteLength;
    }
    static concat(list, length = list.reduce((sum, part) => sum + part.length, 0)) {
      const whole = $Buffer.alloc(length);
      let position = 0;
      for (const part of list) {
        const rest = part.subarray(0, Math.max(0, length - position));
        whole.set(rest, position);
        position += rest.length;
      }
      return whole;
    }
    static compare(left, right) {
      const count = Math.min(left.length, right.length);
      for (let index = 0; index < count; index++) {
        if (left[index] !== right[index]) return left[index] < right[index] ? -1 : 1;
      }
      return Math.sign(left.length - right.length);
    }

    toString(encoding, start = 0, end = this.length) {
      return decode(start === 0 && end === this.length ? this : this.subarray(start, end), encoding);
    }
    toLocaleString(encoding) { return this.toString(encoding); }
    toJSON() { return { type: 'Buffer', data: [...this] }; }
    equals(other) { return $Buffer.compare(this, other) === 0; }
    compare(other) { return $Buffer.compare(this, other); }
    slice(start, end) { return this.subarray(start, end); }
    subarray(start, end) { return buffer(super.subarray(start, end)); }
    write(text, offset = 0, length, encoding) {
      if (typeof offset === 'string') [encoding, offset] = [offset, 0];
      if (typeof length === 'string') [encoding, length] = [length, undefined];
      const bytes = encode(text, encoding).subarray(0, Math.min(length ?? Infinity, this.length - offset));
      this.set(bytes, offset);
      return bytes.length;
    }
    copy(target, targetStart = 0, start = 0, end = this.length) {
      const bytes = super.subarray(start, Math.min(end, start + target.length - targetStart));
      target.set(bytes, targetStart);
      return bytes.length;
    }
    fill(value, start = 0, end = this.length, encoding) {
      if (typeof value === 'number') return super.fill(value & 255, start, end);
      const bytes = typeof value === 'string' ? encode(value, typeof start === 'string' ? start : encoding) : value;
      if (bytes.length === 0) return super.fill(0, start, end);
      const from = typeof start === 'string' ? 0 : start;
      for (let index = from; index < end; index++) this[index] = bytes[(index - from) % bytes.length];
      return this;
    }
    indexOf(value, offset = 0, encoding) {
      if (typeof value === 'number') return super.indexOf(value & 255, offset);
      const wanted = typeof value === 'string' ? encode(value, encoding) : value;
      for (let index = offset; index <= this.length - wanted.length; index++) {
        if (wanted.every((byte, at) => this[index + at] === byte)) return index;
      }
      return -1;
    }
    includes(value, offset, encoding) { return this.indexOf(value, offset, encoding) >= 0; }
    readUInt8(offset = 0) { return this[offset]; }
    writeUInt8(value, offset = 0) { this[offset] = value; return offset + 1; }
  }

  for (const [bits, kind] of [[8, 'Int'], [16, 'Int'], [16, 'Uint'], [32, 'Int'], [32, 'Uint']]) {
    for (const order of bits === 8 ? [''] : ['LE', 'BE']) {
      const name = (kind === 'Uint' ? 'UInt' : kind) + bits;
      const method = kind + bits;
      $Buffer.prototype['read' + name + order] = function (offset = 0) {
        return new DataView(this.buffer, this.byteOffset, this.length)['get' + method](offset, order === 'LE');
      };
      $Buffer.prototype['write' + name + order] = function (value, offset = 0) {
        new DataView(this.buffer, this.byteOffset, this.length)['set' + method](offset, value, order === 'LE');
        return offset + bits / 8;
      };
    }
  }

  function btoa(value) {
    const text = String(value);
    if (/[^\0-\xff]/.test(text)) throw new Error('Invalid character');
    return Uint8Array.from(text, unit => unit.charCodeAt(0)).toBase64();
  }
  function atob(value) {
    const text = String(value).replace(/[\t\n\f\r ]/g, '').replace(/={1,2}$/, '');
    if (/[^A-Za-z0-9+/]/.test(text) || text.length % 4 === 1) {
      throw new Error('The string to be decoded is not correctly encoded.');
    }
    return latin1(Uint8Array.fromBase64(text, { lastChunkHandling: 'loose' }));
  }

  Object.defineProperty($Buffer, 'name', { value: 'Buffer' });
  return { Buffer: $Buffer, SlowBuffer: $Buffer, TextEncoder, TextDecoder, atob, btoa, constants: { MAX_LENGTH: 2 ** 32 } };
})
