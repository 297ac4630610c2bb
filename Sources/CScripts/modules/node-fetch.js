// node-fetch: fetch, as a module.
(function (tools) {
  'use strict';
  const { fetch, Headers, Request, Response } = tools.load('fetch');
  return Object.assign((input, init) => fetch(input, init), { default: fetch, Headers, Request, Response });
})
