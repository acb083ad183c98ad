import { join } from 'node:path';
import type { LocalJson } from '../local/local-json.ts';

/**
 * What a newcomer reads when the service is up: where it is, who can sign in, and lines that enroll and sign in with a
 * second factor when they are pasted into bash.
 */
export function walkThrough(local: LocalJson, folder: string): string {
  const { url, apiKey, limitedApiKey, users } = local;
  const [first] = users;
  const width = Math.max(...users.map(({ username }) => username.length));
  return `  ${url}
  API key       ${apiKey}
  tight one     ${limitedApiKey}
${users.map(({ username, password }) => `  user          ${username.padEnd(width)}  ${password}`).join('\n')}
  also in       ${join(folder, 'local.json')}

Watch it: npm run demo (in another terminal). Or do it yourself, in bash:

${pasteable(url, apiKey, first?.username ?? '', first?.password ?? '')}

Ctrl-C stops the service; what it knows is kept in ${folder}, each function's log in its folder logs.
`;
}

/** The lines to paste. `code` plays the authenticator app: it reads the URI that the QR code holds. */
export function pasteable(url: string, apiKey: string, username: string, password: string): string {
  const credentials = JSON.stringify({ username, password });
  const enrollment = JSON.stringify({ name: 'My phone', password });
  return `cd '${join(import.meta.dirname, '..')}'
post() { curl -s '${url}'"$1" -H 'x-api-key: ${apiKey}' -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d "$2"; echo; }
field() { node -pe "JSON.parse(require('fs').readFileSync(0)).$1"; }
code() { node -e "import('otplib').then(o=>{const p=new URL(process.argv[1]).searchParams,period=+(p.get('period')||30);console.log(o.generateSync({secret:p.get('secret'),algorithm:(p.get('algorithm')||'SHA1').toLowerCase(),digits:+(p.get('digits')||6),period,epoch:Date.now()/1000+period*process.argv[2]}))})" "$URI" "$1"; }

# Sign in with the password, and enroll an authenticator, with the password again.
TOKEN=$(post /v1/auth/login '${credentials}' | field accessToken)
ENROLLED=$(post /v1/totp/enroll '${enrollment}')
URI=$(field otpauthUri <<<"$ENROLLED"); ID=$(field authenticatorId <<<"$ENROLLED")
# Confirm it with a code. The backup codes are shown this once.
post /v1/totp/confirm '{"authenticatorId":"'$ID'","code":"'$(code 0)'"}'
# Sign in again: the password alone is a challenge now. A code works once, so this is the next one.
CHALLENGE=$(post /v1/auth/login '${credentials}' | field challengeToken)
post /v1/auth/verify '{"challengeToken":"'$CHALLENGE'","code":"'$(code 1)'"}'`;
}
