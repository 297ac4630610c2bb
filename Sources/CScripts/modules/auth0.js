// auth0, as far as rules use it on the users of their own tenant. The server does what a rule asks, and refuses an action:
// credentials that a script brings are not looked at, and no other tenant is reached.
(function (tools) {
  'use strict';

  function answer(promise, callback) {
    if (typeof callback !== 'function') return promise;
    promise.then(value => callback(null, value), callback).catch(tools.fail);
  }

  function idOf(parameters) {
    return typeof parameters === 'string' ? parameters : String(parameters?.id ?? parameters?.user_id ?? '');
  }

  /// What is not there says so when it is called.
  function withDefaults(target, name) {
    return new Proxy(target, {
      get(object, key) {
        if (key in object || typeof key === 'symbol' || key === 'then' || key === 'toJSON') return object[key];
        return () => {
          throw new Error(`ManagementClient: ${name}${key} is not available to scripts; send the request to the Management `
            + 'API with fetch and a token for it');
        };
      },
    });
  }

  async function change(parameters, values) {
    const id = idOf(parameters);
    for (const name of Object.keys(values ?? {})) {
      if (name !== 'app_metadata' && name !== 'user_metadata') {
        throw new Error(`ManagementClient: '${name}' of a user cannot be changed by a script; app_metadata and user_metadata can`);
      }
    }
    let user = await tools.call('users.get', { id });
    if (values?.app_metadata) user = await tools.call('users.updateAppMetadata', { id, metadata: values.app_metadata });
    if (values?.user_metadata) user = await tools.call('users.updateUserMetadata', { id, metadata: values.user_metadata });
    return user;
  }

  class ManagementClient {
    constructor() {
      const get = (parameters, callback) => answer(tools.call('users.get', { id: idOf(parameters) }), callback);
      const update = (parameters, values, callback) => answer(change(parameters, values), callback);
      const updateAppMetadata = (parameters, metadata, callback) =>
        update(parameters, { app_metadata: metadata }, callback);
      const updateUserMetadata = (parameters, metadata, callback) =>
        update(parameters, { user_metadata: metadata }, callback);
      this.users = withDefaults({ get, update, updateAppMetadata, updateUserMetadata }, 'users.');
      Object.assign(this, { getUser: get, updateUser: update, updateAppMetadata, updateUserMetadata });
      return withDefaults(this, '');
    }
  }

  return { ManagementClient };
})
