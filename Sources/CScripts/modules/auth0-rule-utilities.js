// What `@auth0/rule-utilities` gives to rules that send users elsewhere and take them back, or that keep something with them.
(function (tools) {
  'use strict';
  const { load } = tools;
  const jwt = load('jsonwebtoken');

  const noRedirectProtocols = ['oauth2-resource-owner', 'oauth2-refresh-token', 'oauth2-password', 'redirect-callback'];

  class Auth0RedirectRuleUtilities {
    constructor(user = {}, context = {}, configuration = {}) {
      Object.assign(this, { user, context, noRedirectProtocols });
      this.tokenSecret = configuration.SESSION_TOKEN_SECRET;
      this.tokenExpiresIn = configuration.SESSION_TOKEN_EXPIRES_IN || '3d';
    }

    get redirectUrl() { return this.context.redirect && this.context.redirect.url; }
    get queryParams() { return (this.context.request && this.context.request.query) || {}; }
    get protocolCanRedirect() { return !noRedirectProtocols.includes(this.context.protocol); }
    get isRedirectCallback() { return this.context.protocol === 'redirect-callback'; }
    get issuer() { return `https://${this.context.request.hostname}/`; }

    get canRedirect() {
      const isTaken = Boolean(this.redirectUrl || this.context.multifactor);
      return !isTaken && this.queryParams.prompt !== 'none' && this.protocolCanRedirect;
    }

    createSessionToken(claims = {}) {
      const payload = { ip: this.context.request.ip, iss: this.issuer, sub: this.user.user_id, ...claims };
      return jwt.sign(payload, this.tokenSecret, { expiresIn: this.tokenExpiresIn });
    }

    validateSessionToken(options = {}) {
      const payload = jwt.verify(this.queryParams.session_token, this.tokenSecret, {
        ...options, subject: this.user.user_id, issuer: this.issuer,
      });
      if (!payload.exp) throw new Error('Expired token');
      return payload;
    }

    doRedirect(url, options) {
      if (!url || !this.canRedirect) throw new Error('Cannot redirect');
      const { sessionToken, generateSessionToken = true } = options || {};
      const isGiven = typeof sessionToken === 'string' && sessionToken !== '';
      const token = isGiven ? sessionToken : generateSessionToken === true ? this.createSessionToken() : undefined;
      this.context.redirect = { url: token === undefined ? url : `${url}?session_token=${token}` };
    }
  }

  class Auth0UserUpdateUtilities {
    constructor(user, auth0, namespace) {
      const { ManagementClient } = load('auth0');
      this.apiClient = new ManagementClient({ token: auth0.accessToken, domain: auth0.domain });
      this.user = user;
      this.userId = user.user_id;
      this.updatedUserData = {};
      this.isNamespaced = typeof namespace === 'string' && namespace !== '';
      this.namespace = this.isNamespaced ? namespace : undefined;
      for (const kind of ['user_metadata', 'app_metadata']) {
        user[kind] = user[kind] || {};
        if (this.isNamespaced) user[kind][namespace] = user[kind][namespace] || {};
      }
    }

    bag(kind, key) {
      return this.isNamespaced && key !== this.namespace ? this.user[kind][this.namespace] : this.user[kind];
    }

    setUser(key, value) { this.user[key] = this.updatedUserData[key] = value; }
    setUserMeta(key, value) { this.bag('user_metadata', key)[key] = value; }
    setAppMeta(key, value) { this.bag('app_metadata', key)[key] = value; }
    getUserMeta(key) { return this.bag('user_metadata', key)[key]; }
    getAppMeta(key) { return this.bag('app_metadata', key)[key]; }
    async updateUser() { await this.apiClient.updateUser({ id: this.userId }, this.updatedUserData); }
    async updateUserMeta() { await this.apiClient.updateUserMetadata({ id: this.userId }, this.user.user_metadata); }
    async updateAppMeta() { await this.apiClient.updateAppMetadata({ id: this.userId }, this.user.app_metadata); }
  }

  return { Auth0RedirectRuleUtilities, Auth0UserUpdateUtilities, noRedirectProtocols };
})
