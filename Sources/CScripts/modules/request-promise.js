// `request` with promises instead of callbacks: a status outside of 200–299 rejects.
(function (tools) {
  'use strict';
  const { load } = tools;
  return load('request').promised;
})
