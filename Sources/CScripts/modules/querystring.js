// querystring.
(function () {
  'use strict';
  function unescape(text) { try { return decodeURIComponent(text); } catch { return text; } }
  const escape = text => encodeURIComponent(text);
  function parse(text, separator = '&', sign = '=', options = {}) {
    const decode = options.decodeURIComponent ?? unescape;
    const result = { __proto__: null };
    const parts = String(text ?? '').split(separator);
    for (const part of options.maxKeys === 0 ? parts : parts.slice(0, options.maxKeys ?? 1000)) {
      if (part === '') continue;
      const at = part.indexOf(sign);
      const [name, value] = (at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + sign.length)])
        .map(side => decode(side.replace(/\+/g, ' ')));
      if (name in result) result[name] = [].concat(result[name], value);
      else result[name] = value;
    }
    return result;
  }
  function stringify(values, separator = '&', sign = '=', options = {}) {
    const encode = options.encodeURIComponent ?? escape;
    const text = value => ['string', 'bigint', 'boolean'].includes(typeof value) || Number.isFinite(value) ? encode(String(value)) : '';
    return Object.entries(values ?? {}).flatMap(([name, value]) => [].concat(value).map(each => encode(name) + sign + text(each))).join(separator);
  }
  return { parse, stringify, escape, unescape, decode: parse, encode: stringify };
})
