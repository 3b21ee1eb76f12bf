// Certified OpenID provider (panva/node-oidc-provider) on a free port of loopback, as it comes: its own
// form for login and consent, its own keys, PKCE for every client. Prints its issuer.
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const [clientId, clientSecret, returnTo] = process.argv.slice(2)
const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [returnTo] }],
    pkce: { required: () => true },
  })
  server.on('request', provider.callback())
  console.log(issuer)
})
