# A relying party made of Ruby's openid_connect: prints the URL for the browser as JSON, reads what the browser has
# brought to the callback, and prints what it has verified.
require 'json'
require 'openid_connect'
require 'securerandom'

$stdout.sync = true
OpenIDConnect.http_config { |http| http.ssl_config.add_trust_ca(ENV['SSL_CERT_FILE']) }

config = OpenIDConnect::Discovery::Provider::Config.discover!(ENV['ISSUER'])
credentials = { identifier: ENV['CLIENT_ID'], secret: ENV['CLIENT_SECRET'] }
if ENV['CLIENT_ID'].empty?
  registered = OpenIDConnect::Client::Registrar.new(
    config.registration_endpoint, client_name: 'Made with Ruby', redirect_uris: [ENV['REDIRECT_URI']]
  ).register!
  credentials = { identifier: registered.identifier, secret: registered.secret }
end
client = OpenIDConnect::Client.new(
  **credentials, redirect_uri: ENV['REDIRECT_URI'], authorization_endpoint: config.authorization_endpoint,
  token_endpoint: config.token_endpoint, userinfo_endpoint: config.userinfo_endpoint
)
state, nonce = SecureRandom.hex(16), SecureRandom.hex(16)
puts JSON.generate(
  url: client.authorization_uri(
    response_type: ENV['RESPONSE_TYPE'].split, response_mode: ENV['RESPONSE_MODE'], scope: ENV['SCOPE'].split,
    state: state, nonce: nonce
  )
)

answer = JSON.parse($stdin.gets)
abort 'state did not match' unless answer['state'] == state
abort "#{answer['error']}: #{answer['error_description']}" if answer['error']

verify = lambda do |raw, code, access_token|
  token = OpenIDConnect::ResponseObject::IdToken.new(JSON::JWT.decode(raw, config.jwks))
  token.verify!(issuer: ENV['ISSUER'], client_id: client.identifier, nonce: nonce)
  # The library makes these hashes, and leaves it to its users to compare them.
  expected = ->(text) { token.send(:left_half_hash_of, text, 256) }
  abort 'c_hash did not match' if code && token.c_hash != expected.(code)
  abort 'at_hash did not match' if access_token && token.at_hash != expected.(access_token)
  token.raw_attributes
end

result = {}
access_token = answer['access_token']
result[:front_channel] = verify.(answer['id_token'], answer['code'], access_token) if answer['id_token']
if answer['code']
  client.authorization_code = answer['code']
  tokens = client.access_token!(ENV['CLIENT_AUTHENTICATION'].to_sym)
  result[:id_token] = verify.(tokens.id_token, nil, nil)
  access_token = tokens.access_token
end
if access_token
  token = OpenIDConnect::AccessToken.new(access_token: access_token, client: client)
  result[:userinfo] = token.userinfo!.raw_attributes
end
puts JSON.generate(result)
