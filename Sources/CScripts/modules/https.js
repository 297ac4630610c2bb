// http and https: requests, as events.
(function (tools) {
  'use strict';
  return tools.load('requests')('https:');
})
