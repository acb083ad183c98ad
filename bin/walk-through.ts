import { join } from 'node:path';
import type { LocalJson } from '../local/local-json.ts';

/**
 * Returns the text that `npm start` prints once the service is up. It says where the service is and who can
 * sign in. Lines to paste into bash enroll an authenticator and sign in with it.
 *
 * @param local the content of local.json
 * @param folder where the service keeps its data
 */
export function walkThrough(local: LocalJson, folder: string): string {
  const { url, apiKey, limitedApiKey, users } = local;
  const [first] = users;
  const width = Math.max(...users.map(({ username }) => username.length));
  return `  ${url}
  API key       ${apiKey}
  limited key   ${limitedApiKey}
${users.map(({ username, password }) => `  user          ${username.padEnd(width)}  ${password}`).join('\n')}
  also in       ${join(folder, 'local.json')}

To watch it, run npm run demo in another terminal. To do it yourself, paste this into bash:

${pasteable(url, apiKey, first?.username ?? '', first?.password ?? '')}

Ctrl-C stops the service. Its data stays in ${folder}, with each function's log in the folder logs.
`;
}

/** Returns the lines to paste. `code` plays the authenticator app: it reads the URI in the QR code. */
export function pasteable(url: string, apiKey: string, username: string, password: string): string {
  const credentials = JSON.stringify({ username, password });
  const enrollment = JSON.stringify({ name: 'My phone', password });
  return `cd '${join(import.meta.dirname, '..')}'
post() { curl -s '${url}'"$1" -H 'x-api-key: ${apiKey}' -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d "$2"; echo; }
field() { node -pe "JSON.parse(require('fs').readFileSync(0)).$1"; }
code() { node -e "import('otplib').then(o=>{const p=new URL(process.argv[1]).searchParams,period=+(p.get('period')||30);console.log(o.generateSync({secret:p.get('secret'),algorithm:(p.get('algorithm')||'SHA1').toLowerCase(),digits:+(p.get('digits')||6),period,epoch:Date.now()/1000+period*process.argv[2]}))})" "$URI" "$1"; }

# Sign in with the password. Enroll an authenticator, which needs the password again.
TOKEN=$(post /v1/auth/login '${credentials}' | field accessToken)
ENROLLED=$(post /v1/totp/enroll '${enrollment}')
URI=$(field otpauthUri <<<"$ENROLLED"); ID=$(field authenticatorId <<<"$ENROLLED")
# Confirm it with a code. The backup codes are shown only once.
post /v1/totp/confirm '{"authenticatorId":"'$ID'","code":"'$(code 0)'"}'
# Sign in again: the password now returns a challenge. A code works once, so this is the next one.
CHALLENGE=$(post /v1/auth/login '${credentials}' | field challengeToken)
post /v1/auth/verify '{"challengeToken":"'$CHALLENGE'","code":"'$(code 1)'"}'`;
}
