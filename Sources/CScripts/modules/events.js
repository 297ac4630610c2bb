// EventEmitter.
(function () {
  'use strict';
  class EventEmitter {
    #listeners = new Map();
    on(name, listener) { return this.#add(name, { listener, once: false }, false); }
    addListener(name, listener) { return this.on(name, listener); }
    prependListener(name, listener) { return this.#add(name, { listener, once: false }, true); }
    once(name, listener) { return this.#add(name, { listener, once: true }, false); }
    #add(name, entry, isFirst) {
      if (typeof entry.listener !== 'function') throw new TypeError('The "listener" argument must be of type function');
      const list = this.#listeners.get(name) ?? [];
      this.#listeners.set(name, isFirst ? [entry, ...list] : [...list, entry]);
      return this;
    }
    off(name, listener) {
      const list = this.#listeners.get(name) ?? [];
      const index = list.findLastIndex(entry => entry.listener === listener);
      if (index >= 0) this.#listeners.set(name, list.toSpliced(index, 1));
      return this;
    }
    removeListener(name, listener) { return this.off(name, listener); }
    removeAllListeners(name) {
      if (name === undefined) this.#listeners.clear();
      else this.#listeners.delete(name);
      return this;
    }
    emit(name, ...values) {
      const list = this.#listeners.get(name) ?? [];
      if (list.length === 0 && name === 'error') throw values[0] instanceof Error ? values[0] : new Error('Unhandled error. (' + values[0] + ')');
      for (const entry of list) {
        if (entry.once) this.off(name, entry.listener);
        entry.listener.apply(this, values);
      }
      return list.length > 0;
    }
    listeners(name) { return (this.#listeners.get(name) ?? []).map(entry => entry.listener); }
    listenerCount(name) { return this.listeners(name).length; }
    eventNames() { return [...this.#listeners.keys()]; }
    setMaxListeners() { return this; }
  }
  function once(emitter, name) {
    return new Promise((accept, refuse) => {
      emitter.once(name, (...values) => accept(values));
      if (name !== 'error') emitter.once('error', refuse);
    });
  }
  return Object.assign(EventEmitter, { EventEmitter, once, default: EventEmitter });
})
