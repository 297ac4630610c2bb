// Actions: a module that exports its handlers, async (event, api).
(function (host) {
  'use strict';
  const { apply, done, effect, fail, freeze, resolve, then } = host;

  function makeAPI() {
    const api = {
      access: { deny(...values) { effect('access.deny', values); return api; } },
      accessToken: {
        setCustomClaim(...values) { effect('accessToken.setCustomClaim', values); return api; },
        addScope(...values) { effect('accessToken.addScope', values); return api; },
        removeScope(...values) { effect('accessToken.removeScope', values); return api; },
      },
      idToken: { setCustomClaim(...values) { effect('idToken.setCustomClaim', values); return api; } },
    };
    freeze(api.access);
    freeze(api.accessToken);
    freeze(api.idToken);
    return freeze(api);
  }

  return function run(factory, entry, input) {
    const module = { exports: {} };
    factory(module.exports, module, host.require);
    const handler = module.exports[entry];
    if (typeof handler !== 'function') throw new TypeError('exports.' + entry + ' is not a function');
    const event = input.event;
    event.secrets = input.secrets || {};
    const result = apply(handler, undefined, [event, makeAPI()]);
    then(resolve(result), () => done(null), fail);
  };
})
