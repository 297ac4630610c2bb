// jsonwebtoken: HS256, HS384, HS512 and RS256, RS384, RS512.
(function (tools) {
  'use strict';
  const crypto = tools.load('crypto');
  const { Buffer } = tools.load('buffer');

  class JsonWebTokenError extends Error {
    constructor(message) { super(message); this.name = 'JsonWebTokenError'; }
  }
  class TokenExpiredError extends JsonWebTokenError {
    constructor(message, expiredAt) { super(message); Object.assign(this, { name: 'TokenExpiredError', expiredAt }); }
  }
  class NotBeforeError extends JsonWebTokenError {
    constructor(message, date) { super(message); Object.assign(this, { name: 'NotBeforeError', date }); }
  }

  const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31557600 };
  function seconds(value, name) {
    if (typeof value === 'number') return value;
    const [, count, unit = 'ms'] = /^(-?[\d.]+)\s*(ms|s|m|h|d|w|y)?[a-z]*$/i.exec(String(value)) ?? [];
    if (count === undefined) throw new Error(`"${name}" should be a number of seconds or string representing a timespan`);
    return Math.floor(Number(count) * UNITS[unit.toLowerCase()]);
  }

  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  function signature(algorithm, text, key) {
    const digest = 'sha' + algorithm.slice(2);
    if (algorithm.startsWith('HS')) return crypto.createHmac(digest, key).update(text).digest('base64url');
    return crypto.createSign('RSA-' + digest.toUpperCase()).update(text).sign(key, 'base64url');
  }
  const isKnown = algorithm => /^[HR]S(256|384|512)$/.test(algorithm);

  /// Answers by callback where there is one.
  function answer(callback, body) {
    if (typeof callback !== 'function') return body();
    let value, failure = null;
    try { value = body(); } catch (error) { failure = error; }
    queueMicrotask(() => callback(failure, value));
  }

  function sign(payload, key, options = {}, callback) {
    if (typeof options === 'function') [options, callback] = [{}, options];
    return answer(callback, () => {
      const algorithm = options.algorithm ?? 'HS256';
      if (!isKnown(algorithm)) throw new Error(`"algorithm" must be one of HS256, HS384, HS512, RS256, RS384, RS512`);
      if (!key) throw new Error('secretOrPrivateKey must have a value');
      const header = { alg: algorithm, typ: 'JWT', ...options.keyid && { kid: options.keyid }, ...options.header };
      let claims = payload;
      if (payload !== null && typeof payload === 'object' && !Buffer.isBuffer(payload)) {
        claims = { ...payload };
        const now = claims.iat ?? Math.floor(Date.now() / 1000);
        if (!options.noTimestamp) claims.iat = now;
        if (options.expiresIn !== undefined) claims.exp = now + seconds(options.expiresIn, 'expiresIn');
        if (options.notBefore !== undefined) claims.nbf = now + seconds(options.notBefore, 'notBefore');
        for (const [option, claim] of [['audience', 'aud'], ['issuer', 'iss'], ['subject', 'sub'], ['jwtid', 'jti']]) {
          if (options[option] !== undefined) claims[claim] = options[option];
        }
      }
      const text = part(header) + '.' + (typeof claims === 'string' ? Buffer.from(claims).toString('base64url') : part(claims));
      return text + '.' + signature(algorithm, text, key);
    });
  }

  function decode(token, options = {}) {
    try {
      const [header, payload, signature] = String(token).split('.');
      const text = Buffer.from(payload, 'base64url').toString();
      let claims = text;
      try { claims = JSON.parse(text); } catch { /* A payload need not be JSON. */ }
      if (!options.complete) return claims;
      return { header: JSON.parse(Buffer.from(header, 'base64url').toString()), payload: claims, signature };
    } catch { return null; }
  }

  function matches(expected, value) {
    const list = Array.isArray(expected) ? expected : [expected];
    return [].concat(value ?? []).some(each => list.some(one => one instanceof RegExp ? one.test(each) : one === each));
  }

  function check(token, key, options) {
    if (typeof token !== 'string' || !token) throw new JsonWebTokenError('jwt must be provided');
    const parts = token.split('.');
    if (parts.length !== 3) throw new JsonWebTokenError('jwt malformed');
    const decoded = decode(token, { complete: true });
    if (!decoded) throw new JsonWebTokenError('invalid token');
    if (!parts[2]) throw new JsonWebTokenError('jwt signature is required');
    if (!key) throw new JsonWebTokenError('secret or public key must be provided');
    const { header, payload } = decoded;
    const isPEM = /^-----BEGIN/.test(typeof key === 'object' && key.key ? String(key.key) : String(key));
    // A public key must never be taken for the secret of an HMAC.
    const allowed = options.algorithms ?? (isPEM ? ['RS256', 'RS384', 'RS512'] : ['HS256', 'HS384', 'HS512']);
    if (!isKnown(header.alg) || !allowed.includes(header.alg) || header.alg.startsWith('HS') === isPEM) {
      throw new JsonWebTokenError('invalid algorithm');
    }
    const [text, given] = [parts[0] + '.' + parts[1], Buffer.from(parts[2], 'base64url')];
    let isValid;
    if (isPEM) {
      isValid = crypto.createVerify('RSA-SHA' + header.alg.slice(2)).update(text).verify(key, given);
    } else {
      const right = Buffer.from(signature(header.alg, text, key), 'base64url');
      isValid = right.length === given.length && crypto.timingSafeEqual(right, given);
    }
    if (!isValid) throw new JsonWebTokenError('invalid signature');
    const now = options.clockTimestamp ?? Math.floor(Date.now() / 1000);
    const tolerance = options.clockTolerance ?? 0;
    if (payload.nbf !== undefined && !options.ignoreNotBefore) {
      if (typeof payload.nbf !== 'number') throw new JsonWebTokenError('invalid nbf value');
      if (payload.nbf > now + tolerance) throw new NotBeforeError('jwt not active', new Date(payload.nbf * 1000));
    }
    if (payload.exp !== undefined && !options.ignoreExpiration) {
      if (typeof payload.exp !== 'number') throw new JsonWebTokenError('invalid exp value');
      if (now >= payload.exp + tolerance) throw new TokenExpiredError('jwt expired', new Date(payload.exp * 1000));
    }
    for (const [option, claim, word] of [['audience', 'aud', 'audience'], ['issuer', 'iss', 'issuer'], ['subject', 'sub', 'subject'], ['jwtid', 'jti', 'jwtid']]) {
      if (options[option] !== undefined && !matches(options[option], payload[claim])) {
        throw new JsonWebTokenError(`jwt ${word} invalid. expected: ${[].concat(options[option]).join(' or ')}`);
      }
    }
    if (options.maxAge !== undefined) {
      if (typeof payload.iat !== 'number') throw new JsonWebTokenError('iat required when maxAge is specified');
      const end = payload.iat + seconds(options.maxAge, 'maxAge');
      if (now >= end + tolerance) throw new TokenExpiredError('maxAge exceeded', new Date(end * 1000));
    }
    return options.complete ? decoded : payload;
  }

  function verify(token, key, options = {}, callback) {
    if (typeof options === 'function') [options, callback] = [{}, options];
    if (typeof key !== 'function') return answer(callback, () => check(token, key, options));
    const header = decode(token, { complete: true })?.header;
    key(header, (error, found) => error
      ? callback(new JsonWebTokenError('error in secret or public key callback: ' + error.message))
      : answer(callback, () => check(token, found, options)));
  }

  return { sign, verify, decode, JsonWebTokenError, TokenExpiredError, NotBeforeError };
})
