// path, as on POSIX.
(function () {
  'use strict';
  function normalize(path) {
    const isAbsolute = path.startsWith('/');
    const result = [];
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue;
      if (part !== '..') result.push(part);
      else if (result.length > 0 && result.at(-1) !== '..') result.pop();
      else if (!isAbsolute) result.push('..');
    }
    const joined = result.join('/');
    const tail = path.endsWith('/') && joined ? '/' : '';
    return isAbsolute ? '/' + joined + tail : (joined || '.') + tail;
  }
  const join = (...parts) => normalize(parts.filter(Boolean).join('/') || '.');
  function resolve(...parts) {
    let path = '';
    for (const part of ['/', ...parts]) path = String(part).startsWith('/') ? part : path + '/' + part;
    return normalize(path).replace(/(.)\/$/, '$1');
  }
  function basename(path, suffix = '') {
    const name = path.replace(/\/+$/, '').split('/').pop();
    return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  }
  function dirname(path) {
    const plain = path.replace(/\/+$/, '');
    const slash = plain.lastIndexOf('/');
    return slash < 0 ? '.' : plain.slice(0, slash).replace(/\/+$/, '') || '/';
  }
  const extname = path => /^.+?(\.[^.]*)$/.exec(basename(path))?.[1] ?? '';
  function relative(from, to) {
    const [start, end] = [from, to].map(path => resolve(path).split('/').filter(Boolean));
    let common = 0;
    while (common < start.length && start[common] === end[common]) common++;
    return [...start.slice(common).map(() => '..'), ...end.slice(common)].join('/');
  }
  const parse = path => {
    const [base, ext] = [basename(path), extname(path)];
    return { root: path.startsWith('/') ? '/' : '', dir: path.includes('/') ? dirname(path) : '', base, ext, name: base.slice(0, base.length - ext.length) };
  };
  const format = ({ dir, root = '', base, name = '', ext = '' }) => (dir ? dir + '/' : root) + (base ?? name + ext);
  const path = { normalize, join, resolve, basename, dirname, extname, relative, parse, format, isAbsolute: path => path.startsWith('/'), sep: '/', delimiter: ':' };
  return Object.assign(path, { posix: path });
})
