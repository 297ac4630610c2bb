// `request-promise` under its other name.
(function (tools) {
  'use strict';
  return tools.load('request').promised;
})
