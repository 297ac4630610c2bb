// slack-notify: messages to a Slack webhook.
(function (tools) {
  'use strict';
  const request = tools.load('request');

  // Slack wants a list where the module took an object.
  function payload(message) {
    const given = typeof message === 'string' ? { text: message } : { ...message };
    if (given.fields === undefined || Array.isArray(given.fields)) return given;
    const { fields, ...rest } = given;
    const list = Object.keys(fields).map(title => ({ title, value: fields[title], short: String(fields[title]).length < 25 }));
    return { ...rest, attachments: [...(rest.attachments || []), { fallback: rest.text || 'A message', fields: list }] };
  }

  return url => {
    function send(message, callback = () => {}) {
      request.post({ url, json: payload(message) }, (error, response, body) => {
        if (error) return callback(error);
        callback(response.statusCode < 300 ? null : new Error(typeof body === 'string' ? body : JSON.stringify(body)), body);
      });
    }
    const like = (channel, icon_emoji, username) => (message, callback) =>
      send({ channel, icon_emoji, username, ...payload(message) }, callback);
    return {
      send, extend: defaults => (message, callback) => send({ ...defaults, ...payload(message) }, callback),
      alert: like('#alerts', ':warning:', 'Alert'), bug: like('#bugs', ':bomb:', 'Bug'),
      note: like('#alerts', ':bulb:', 'Note'), success: like('#alerts', ':trophy:', 'Hoorah'),
    };
  };
})
