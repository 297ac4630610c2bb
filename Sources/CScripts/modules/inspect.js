// Values as text, as Node's console shows them.
(function () {
  'use strict';
  const DEPTH = 2, ITEMS = 100, LENGTH = 10000;

  function quoted(value) {
    const mark = !value.includes("'") ? "'" : !value.includes('"') ? '"' : '`';
    const text = JSON.stringify(value).slice(1, -1).replace(/\\"/g, '"');
    return mark + (mark === '"' ? text.replace(/"/g, '\\"') : text) + mark;
  }

  function keyText(key) {
    if (typeof key === 'symbol') return `[${String(key)}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
  }

  function primitive(value) {
    if (typeof value === 'string') return quoted(value);
    if (typeof value === 'bigint') return value + 'n';
    if (Object.is(value, -0)) return '-0';
    return String(value);
  }

  function nameOf(value) {
    try {
      const prototype = Object.getPrototypeOf(value);
      if (prototype === null) return '[Object: null prototype]';
      return typeof prototype.constructor === 'function' ? String(prototype.constructor.name) : '';
    } catch { return ''; }
  }

  function list(parts, open, close, prefix) {
    if (parts.length === 0) return prefix + open + close;
    const line = `${prefix}${open} ${parts.join(', ')} ${close}`;
    return line.length <= 76 && !line.includes('\n')
      ? line : `${prefix}${open}\n  ${parts.map(part => part.replace(/\n/g, '\n  ')).join(',\n  ')}\n${close}`;
  }

  function properties(value, depth, seen, skipsIndices) {
    const parts = [];
    for (const key of Reflect.ownKeys(value)) {
      if (skipsIndices && typeof key === 'string' && (key === 'length' || /^\d+$/.test(key))) continue;
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (!property || !property.enumerable) continue;
      if (parts.length === ITEMS) { parts.push('...'); break; }
      const shown = 'value' in property ? inspect(property.value, depth - 1, seen)
        : property.set ? property.get ? '[Getter/Setter]' : '[Setter]' : '[Getter]';
      parts.push(`${keyText(key)}: ${shown}`);
    }
    return parts;
  }

  function items(values, count, depth, seen) {
    const parts = [];
    for (const value of values) {
      if (parts.length === ITEMS) { parts.push(`... ${count - ITEMS} more items`); break; }
      parts.push(Array.isArray(value) && value.isEntry
        ? `${inspect(value[0], depth - 1, seen)} => ${inspect(value[1], depth - 1, seen)}`
        : inspect(value, depth - 1, seen));
    }
    return parts;
  }

  function inspect(value, depth = DEPTH, seen = []) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return primitive(value);
    if (seen.includes(value)) return '[Circular *1]';
    const name = nameOf(value);
    if (value instanceof Error) return `${value.stack && value.name ? `${value.name}: ${value.message}` : String(value)}`;
    if (value instanceof Date) return isNaN(value) ? 'Invalid Date' : value.toISOString();
    if (value instanceof RegExp) return String(value);
    if (value instanceof Promise) return 'Promise {}';
    if (typeof value === 'function') {
      const label = Function.prototype.toString.call(value).startsWith('class') ? 'class' : 'Function';
      return `[${label}${value.name ? (label === 'class' ? ' ' : ': ') + value.name : ' (anonymous)'}]`;
    }
    if (depth < 0) return Array.isArray(value) ? '[Array]' : `[${name || 'Object'}]`;
    seen = [...seen, value];
    if (Array.isArray(value)) {
      return list([...items(value, value.length, depth, seen), ...properties(value, depth, seen, true)], '[', ']', '');
    }
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      return list(items(value, value.length, depth, seen), '[', ']', `${name}(${value.length}) `);
    }
    if (value instanceof Map) {
      const entries = [...value].map(entry => Object.assign(entry, { isEntry: true }));
      return list(items(entries, value.size, depth, seen), '{', '}', `Map(${value.size}) `);
    }
    if (value instanceof Set) return list(items(value, value.size, depth, seen), '{', '}', `Set(${value.size}) `);
    return list(properties(value, depth, seen, false), '{', '}', name === 'Object' || name === '' ? '' : name + ' ');
  }

  function safely(value, depth) {
    try { return inspect(value, depth).slice(0, LENGTH); } catch { return '[unprintable]'; }
  }

  /// What console.log(...values) writes.
  function format(values) {
    let rest = values;
    const parts = [];
    if (typeof values[0] === 'string' && values.length > 1 && values[0].includes('%')) {
      let next = 1;
      parts.push(values[0].replace(/%[sdifjoOc%]/g, mark => {
        if (mark === '%%') return '%';
        if (next >= values.length) return mark;
        const value = values[next++];
        switch (mark) {
          case '%s': return typeof value === 'object' && value !== null ? safely(value, 0) : String(value);
          case '%d': case '%f': return typeof value === 'object' ? 'NaN' : String(Number(value));
          case '%i': return String(parseInt(value, 10));
          case '%j': try { return JSON.stringify(value); } catch { return '[Circular]'; }
          case '%c': return '';
          default: return safely(value, 4);
        }
      }));
      rest = values.slice(next);
    }
    for (const value of rest) parts.push(typeof value === 'string' ? value : safely(value));
    return parts.join(' ').slice(0, LENGTH);
  }

  return { inspect: (value, options) => safely(value, options?.depth === null ? 20 : options?.depth ?? DEPTH), format };
})
