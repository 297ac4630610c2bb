// bcrypt: the server's own, by its questions 'bcrypt.hash' {password, rounds} and 'bcrypt.compare' {password, hash}.
(function (tools) {
  'use strict';
  function answer(promise, callback) {
    if (typeof callback !== 'function') return promise;
    promise.then(value => callback(null, value), callback).catch(tools.fail);
  }
  const text = value => {
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) throw new Error('data must be a string or Buffer');
    return String(value);
  };
  function hash(password, salt, callback) {
    const rounds = typeof salt === 'number' ? salt : Number(/^\$2[aby]\$(\d\d)\$/.exec(String(salt))?.[1] ?? 10);
    return answer((async () => tools.call('bcrypt.hash', { password: text(password), rounds }))(), callback);
  }
  function compare(password, hash, callback) {
    return answer((async () => tools.call('bcrypt.compare', { password: text(password), hash: text(hash) }))(), callback);
  }
  function genSalt(rounds = 10, minor, callback) {
    if (typeof rounds === 'function') [rounds, callback] = [10, rounds];
    if (typeof minor === 'function') callback = minor;
    // The server makes the salt itself; only the rounds are taken from this one.
    return answer(Promise.resolve(`$2b$${String(rounds).padStart(2, '0')}$`), callback);
  }
  const later = name => () => { throw new Error(`bcrypt.${name} is not available here; use bcrypt.${name.replace('Sync', '')}, which answers later`); };
  return { hash, compare, genSalt, hashSync: later('hashSync'), compareSync: later('compareSync') };
})
