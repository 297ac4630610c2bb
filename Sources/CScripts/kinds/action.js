// Actions: a module that exports its handlers, async (event, api). What an action asks for goes to the server at once,
// as data; the server checks it, and does it after the run.
(function (host) {
  'use strict';
  const { apply, done, effect, fail, freeze, hasOwn, parse, resolve, text, then } = host;
  const { defineProperty, keys } = Object;
  const { isArray } = Array;
  const { isSafeInteger } = Number;
  const { floor } = Math;
  const { now } = Date;
  const [$Error, $Number, $String, $TypeError] = [Error, Number, String, TypeError];
  const [includes, split] = [host.uncurry(Array.prototype.includes), host.uncurry($String.prototype.split)];
  const [concat, filter, map, slice] = [
    host.uncurry(Array.prototype.concat), host.uncurry(Array.prototype.filter),
    host.uncurry(Array.prototype.map), host.uncurry(Array.prototype.slice),
  ];

  function isObject(value) {
    return typeof value === 'object' && value !== null && !isArray(value);
  }

  function optionalText(value) {
    return value === undefined || value === null ? null : $String(value);
  }

  // Something of Auth0's API that the server does not have. The server hears of it even where the script catches
  // the error.
  function missing(name) {
    return function () {
      effect('unsupported', { name: 'api.' + name });
      throw new $Error('api.' + name + ' is not available: this server does not have what it needs');
    };
  }

  function bytesOf(value) {
    return host.require('buffer').Buffer.byteLength(value, 'utf8');
  }

  // Every api has this: what it puts aside may be there at the next run.
  function cacheOf(entries) {
    for (const name of keys(entries)) entries[name].expires_at = now() + entries[name].ttl;
    function failed(code) { return freeze({ type: 'error', code }); }
    return {
      get(key) {
        const name = $String(key);
        if (!hasOwn(entries, name) || entries[name].expires_at <= now()) return undefined;
        return freeze({ value: entries[name].value, expires_at: entries[name].expires_at });
      },
      set(key, value, options) {
        const name = $String(key), settings = isObject(options) ? options : {};
        if (typeof value !== 'string') throw new $TypeError('api.cache.set: the value must be a string');
        if (name === '' || bytesOf(name) > 64) return failed('KeySizeExceeded');
        if (bytesOf(value) > 4096) return failed('ItemSizeExceeded');
        let expires = now() + 900000;
        if (settings.ttl !== undefined) expires = now() + $Number(settings.ttl);
        if (settings.expires_at !== undefined) expires = $Number(settings.expires_at);
        expires = floor(expires);
        if (!isSafeInteger(expires)) throw new $TypeError('api.cache.set: ttl and expires_at are milliseconds');
        effect('cache.set', { name, value, ttl: expires - now() });
        defineProperty(entries, name, {
          value: { value, expires_at: expires }, enumerable: true, configurable: true, writable: true,
        });
        return freeze({ type: 'success', record: freeze({ value, expires_at: expires }) });
      },
      delete(key) {
        const name = $String(key);
        if (name === '' || bytesOf(name) > 64) return failed('KeySizeExceeded');
        effect('cache.delete', { name });
        delete entries[name];
        return freeze({ type: 'success' });
      },
    };
  }

  function metadataOf(api) {
    return {
      setAppMetadata(name, value) {
        effect('user.setAppMetadata', { name: $String(name), value: value === undefined ? null : value });
        return api;
      },
      setUserMetadata(name, value) {
        effect('user.setUserMetadata', { name: $String(name), value: value === undefined ? null : value });
        return api;
      },
    };
  }

  function claimsOf(api, operation) {
    return function (name, value) {
      effect(operation, { name: $String(name), value: value === undefined ? null : value });
      return api;
    };
  }

  // The session, or the refresh token that is exchanged.
  function holderOf(api, holder) {
    function change(value) {
      effect(holder + '.change', value);
      return api;
    }
    return {
      revoke(reason, options) {
        const preserveRefreshTokens = isObject(options) && options.preserveRefreshTokens === true;
        effect(holder + '.revoke', { reason: optionalText(reason), preserveRefreshTokens });
        return api;
      },
      setExpiresAt(at) { return change({ change: 'expiresAt', at: floor($Number(at)) }); },
      setIdleExpiresAt(at) { return change({ change: 'idleExpiresAt', at: floor($Number(at)) }); },
      setMetadata(name, value) {
        return change({ change: 'metadata', name: $String(name), value: optionalText(value) });
      },
      deleteMetadata(name) { return change({ change: 'metadata', name: $String(name), value: null }); },
      evictMetadata() { return change({ change: 'noMetadata' }); },
    };
  }

  // The scope that is the target of the transaction: what is left of it once the server has applied its rules is granted. The
  // event shows it at once.
  function targetScopesOf(api, event) {
    const transaction = event.transaction || (event.transaction = {});
    let target = isArray(transaction.target_scopes) ? slice(transaction.target_scopes) : [];
    function become(scopes) {
      target = scopes;
      transaction.target_scopes = slice(target);
      effect('transaction.setTargetScopes', { scopes: target });
      return api;
    }
    function scopeOf(value, name) {
      if (typeof value !== 'string' || value === '') {
        throw new $TypeError('api.transaction.' + name + ': a scope must be a string that is not empty');
      }
      return value;
    }
    return {
      addTargetScope(scope) {
        const value = scopeOf(scope, 'addTargetScope');
        return become(includes(target, value) ? target : concat(target, [value]));
      },
      removeTargetScope(scope) {
        const value = scopeOf(scope, 'removeTargetScope');
        return become(filter(target, (other) => other !== value));
      },
      setTargetScopes(scopes) {
        if (!isArray(scopes)) throw new $TypeError('api.transaction.setTargetScopes: the scopes must be an array');
        return become(map(scopes, (scope) => scopeOf(scope, 'setTargetScopes')));
      },
      clearTargetScopes() { return become([]); },
    };
  }

  function encoded(value) {
    const { Buffer } = host.require('buffer');
    return Buffer.from(text(value), 'utf8').toString('base64url');
  }

  function signed(message, secret) {
    return host.require('crypto').createHmac('sha256', secret).update(message, 'utf8').digest('base64url');
  }

  function secretOf(options, name) {
    if (!isObject(options) || typeof options.secret !== 'string' || options.secret === '') {
      throw new $TypeError('api.redirect.' + name + ': secret must be a string that is not empty');
    }
    return options.secret;
  }

  // The tokens that travel with a user to another site and back (HS256).
  function redirectOf(api, event, situation) {
    return {
      canRedirect() { return situation.canRedirect; },
      encodeToken(options) {
        const secret = secretOf(options, 'encodeToken');
        const seconds = options.expiresInSeconds === undefined ? 900 : $Number(options.expiresInSeconds);
        const issued = floor(now() / 1000), claims = { iss: situation.domain, iat: issued, exp: issued + seconds };
        if (event.user !== undefined) claims.sub = event.user.user_id;
        if (event.request !== undefined && event.request.ip !== undefined) claims.ip = event.request.ip;
        const payload = isObject(options.payload) ? options.payload : {};
        for (const name of keys(payload)) {
          defineProperty(claims, name, { value: payload[name], enumerable: true, configurable: true, writable: true });
        }
        const message = encoded({ alg: 'HS256', typ: 'JWT' }) + '.' + encoded(claims);
        return message + '.' + signed(message, secret);
      },
      sendUserTo(url, options) {
        const address = new (host.require('url').URL)($String(url));
        const query = isObject(options) && isObject(options.query) ? options.query : {};
        for (const name of keys(query)) address.searchParams.set(name, $String(query[name]));
        effect('redirect.sendUserTo', { url: address.href });
        return api;
      },
      validateToken(options) {
        const secret = secretOf(options, 'validateToken');
        const name = options.tokenParameterName === undefined ? 'session_token' : $String(options.tokenParameterName);
        const returned = situation.returned || {};
        const token = hasOwn(returned, name) ? returned[name] : undefined;
        function refuse(why) { throw new $Error('The session token is invalid: ' + why); }
        if (typeof token !== 'string') refuse("there is no parameter '" + name + "'");
        const parts = split(token, '.');
        if (parts.length !== 3) refuse('it is no JSON Web Token');
        const { Buffer } = host.require('buffer'), crypto = host.require('crypto');
        let header, claims;
        try {
          header = parse(Buffer.from(parts[0], 'base64url').toString('utf8'));
          claims = parse(Buffer.from(parts[1], 'base64url').toString('utf8'));
        } catch (problem) {
          refuse('it is no JSON Web Token');
        }
        if (!isObject(header) || !isObject(claims) || header.alg !== 'HS256') refuse('its algorithm must be HS256');
        const right = Buffer.from(signed(parts[0] + '.' + parts[1], secret), 'base64url');
        const sent = Buffer.from(parts[2], 'base64url');
        if (right.length !== sent.length || !crypto.timingSafeEqual(right, sent)) {
          refuse('its signature is not of this secret');
        }
        const seconds = now() / 1000;
        if (typeof claims.exp !== 'number' || claims.exp <= seconds) refuse('it has expired, or has no exp');
        if (typeof claims.nbf === 'number' && claims.nbf > seconds) refuse('it is not valid yet');
        if (claims.state !== situation.state) {
          refuse("its claim 'state' must be the state that the user was sent away with");
        }
        if (claims.sub !== undefined && claims.sub !== event.user.user_id) refuse('it is about somebody else');
        return claims;
      },
    };
  }

  const apis = {
    'post-login'(api, event, situation) {
      api.access = {
        deny(reason) { effect('access.deny', { reason: optionalText(reason) }); return api; },
      };
      api.accessToken = {
        setCustomClaim: claimsOf(api, 'accessToken.setCustomClaim'),
        addScope(scope) { effect('accessToken.addScope', { scope: $String(scope) }); return api; },
        removeScope(scope) { effect('accessToken.removeScope', { scope: $String(scope) }); return api; },
      };
      api.idToken = { setCustomClaim: claimsOf(api, 'idToken.setCustomClaim') };
      api.user = metadataOf(api);
      api.redirect = redirectOf(api, event, situation);
      api.rules = { wasExecuted(id) { return includes(situation.rules || [], $String(id)); } };
      api.validation = {
        error(code, message) { effect('validation.error', { reason: optionalText(message) }); return api; },
      };
      api.transaction = targetScopesOf(api, event);
      api.transaction.setMetadata = (name, value) => {
        effect('transaction.setMetadata', { name: $String(name), value: optionalText(value) });
        return api;
      };
      api.authentication = {};
      const factorOf = (factor) => (factor && typeof factor === 'object' ? $String(factor.type) : $String(factor));
      const demand = (kind, factors) => {
        effect('authentication.factor', { kind, factors: isArray(factors) ? map(factors, factorOf) : [] });
        return api;
      };
      const withOthers = (factor, options) => concat([factor], (options && options.additionalFactors) || []);
      Object.assign(api.authentication, {
        challengeWith(factor, options) { return demand('challenge', withOthers(factor, options)); },
        challengeWithAny(factors) { return demand('challenge', factors); },
        enrollWith(factor, options) { return demand('enrollment', withOthers(factor, options)); },
        enrollWithAny(factors) { return demand('enrollment', factors); },
      });
      api.authentication.setPrimaryUser = (id) => {
        if (typeof id !== 'string' || id === '') {
          throw new $TypeError('api.authentication.setPrimaryUser: the id of the user must be a string that is not empty');
        }
        effect('authentication.setPrimaryUser', { name: id });
        return api;
      };
      api.authentication.recordMethod = (url) => {
        if (!situation.isContinued) {
          throw new $Error('api.authentication.recordMethod is for onContinuePostLogin, once the user has come back');
        }
        effect('authentication.recordMethod', { url: $String(url) });
        return api;
      };
      api.multifactor = {
        enable(provider, options) {
          effect('multifactor.enable', {
            provider: $String(provider), allowRememberBrowser: Boolean(options && options.allowRememberBrowser),
          });
          return api;
        },
      };
      api.prompt = { render: missing('prompt.render') };
      api.groups = {};
      for (const name of ['getUserGroups', 'hasGroupMembership']) api.groups[name] = missing('groups.' + name);
      api.refreshToken = holderOf(api, 'refreshToken');
      api.session = holderOf(api, 'session');
      api.session.setCookieMode = (mode) => {
        if (mode !== 'persistent' && mode !== 'non-persistent') {
          throw new $TypeError("api.session.setCookieMode: the mode must be 'persistent' or 'non-persistent'");
        }
        effect('session.change', { change: 'cookieMode', mode });
        if (isObject(event.session)) event.session.cookie = { mode };
        return api;
      };
      api.samlResponse = {};
      for (const name of ['setAttribute', 'setAudience', 'setRecipient', 'setDestination']) {
        api.samlResponse[name] = missing('samlResponse.' + name);
      }
    },
    'credentials-exchange'(api, event) {
      api.access = {
        deny(code, reason) {
          effect('access.deny', { code: optionalText(code), reason: optionalText(reason) });
          return api;
        },
      };
      api.accessToken = { setCustomClaim: claimsOf(api, 'accessToken.setCustomClaim') };
      api.transaction = targetScopesOf(api, event);
    },
    'pre-user-registration'(api) {
      api.access = {
        deny(reason, userMessage) {
          effect('access.deny', { reason: optionalText(reason), userMessage: optionalText(userMessage) });
          return api;
        },
      };
      api.user = metadataOf(api);
      api.validation = {
        error(code, message) {
          effect('validation.error', { reason: optionalText(code), userMessage: optionalText(message) });
          return api;
        },
      };
    },
    'post-user-registration'() {},
    'post-change-password'() {},
  };

  return function run(factory, entry, input) {
    const { event, trigger = 'post-login', secrets = {}, cache = {}, situation = {} } = input;
    event.secrets = freeze(secrets);
    const api = { cache: cacheOf(cache) };
    apis[trigger](api, event, situation);
    for (const name of keys(api)) freeze(api[name]);
    freeze(api);
    const module = { exports: {} };
    factory(module.exports, module, host.require);
    const handler = module.exports[entry];
    if (typeof handler !== 'function') throw new $TypeError('exports.' + entry + ' is not a function');
    then(resolve(apply(handler, undefined, [event, api])), () => done(null), fail);
  };
})
