// `auth0`'s ManagementClient, as far as scripts may go: users are read, and their metadata changed, without a token. What is
// left of it needs a token of its own, and the Management API's address.
(function (tools) {
  'use strict';
  const { call } = tools;

  function idOf(parameters) {
    const id = typeof parameters === 'string' ? parameters : parameters && (parameters.id || parameters.user_id);
    if (typeof id !== 'string' || id === '') throw new Error('The id of a user is missing');
    return id;
  }
  // A callback at the end is what the old versions took.
  function answering(body) {
    return (...values) => {
      const callback = typeof values[values.length - 1] === 'function' ? values.pop() : undefined;
      const promise = Promise.resolve().then(() => body(...values));
      if (callback === undefined) return promise;
      promise.then(value => callback(null, value), error => callback(error));
    };
  }

  const get = parameters => call('users.get', { id: idOf(parameters) });
  const updateAppMetadata = (parameters, metadata) => call('users.updateAppMetadata', { id: idOf(parameters), metadata });
  const updateUserMetadata = (parameters, metadata) => call('users.updateUserMetadata', { id: idOf(parameters), metadata });
  async function update(parameters, changes) {
    const others = Object.keys(changes).filter(name => name !== 'app_metadata' && name !== 'user_metadata');
    if (others.length > 0) throw missing(`updateUser with ${others.join(', ')}`);
    let user = await get(parameters);
    if (changes.app_metadata) user = await updateAppMetadata(parameters, changes.app_metadata);
    if (changes.user_metadata) user = await updateUserMetadata(parameters, changes.user_metadata);
    return user;
  }
  function missing(name) {
    return new Error(`ManagementClient: ${name} is not available to scripts. Send the request to the Management API with fetch and a token of its own.`);
  }

  /// What is not there fails when it is called, and says so.
  function withDefaults(target, name) {
    return new Proxy(target, {
      get(object, key) {
        if (key in object || typeof key === 'symbol' || key === 'then' || key === 'toJSON') return object[key];
        return () => { throw missing(name + key); };
      },
    });
  }
  const users = withDefaults({
    get: answering(get), update: answering(update),
    updateAppMetadata: answering(updateAppMetadata), updateUserMetadata: answering(updateUserMetadata),
  }, 'users.');

  class ManagementClient {
    constructor() {
      return withDefaults(Object.assign(this, {
        users, getUser: users.get, updateUser: users.update, updateAppMetadata: users.updateAppMetadata,
        updateUserMetadata: users.updateUserMetadata,
      }), '');
    }
  }
  return { ManagementClient };
})
