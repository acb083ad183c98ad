/** `npm run doctor`: lists every way round the second factor that a Cognito user pool leaves. Changes nothing. */
import { connect } from './doctor/connection.ts';
import { examine } from './doctor/examine.ts';
import { type Code, codes, type Finding } from './doctor/finding.ts';
import { readPool } from './doctor/read.ts';
import { asJson, asText } from './doctor/report.ts';
import { required, runProgram } from './program.ts';

const USAGE = `npm run doctor -- --user-pool-id ID [flags]    lists every way round the second factor of a Cognito user pool

  --user-pool-id ID     the pool
  --region REGION       where it is                                    (default: as its id says)
  --login-client ID     a client that is Countersign's login client, under another name; may be repeated
  --accept CODE[:WHAT]  a finding that is known and wanted: its code, and the client's id, the trigger's name or the
                        pool's id where it is meant for one only; may be repeated
  --json                one JSON object instead of text
  --help                this text

Credentials are the AWS SDK's usual ones: AWS_PROFILE, AWS_ACCESS_KEY_ID … It reads, and needs

  cognito-idp:DescribeUserPool, GetUserPoolMfaConfig, ListUserPoolClients, DescribeUserPoolClient and
  ListIdentityProviders on the pool; lambda:GetFunctionConfiguration and GetPolicy on the triggers' functions

Exit status: 0 nothing found, 1 something found, 2 it could not be found out. See docs/doctor.md.
`;

const program = {
  name: 'doctor',
  command: 'npm run doctor',
  usage: USAGE,
  options: {
    'user-pool-id': { type: 'string' },
    region: { type: 'string' },
    'login-client': { type: 'string', multiple: true },
    accept: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
  statusOf: () => 2,
} as const;

await runProgram(program, async (flags) => {
  const id = required(flags, 'user-pool-id');
  const isAccepted = acceptance(flags.accept ?? []);
  const facts = await readPool(connect(id, flags.region), id);
  const all = examine(facts, flags['login-client'] ?? []);
  const findings = all.filter((finding) => !isAccepted(finding));
  const accepted = all.filter(isAccepted);
  console.log((flags.json ? asJson : asText)({ facts, findings, accepted }));
  return findings.length > 0 ? 1 : 0;
});

function acceptance(given: string[]): (finding: Finding) => boolean {
  const pairs = given.map((text) => text.split(/:(.*)/s));
  const unknown = pairs.find(([code = '']) => !Object.hasOwn(codes, code));
  if (unknown) throw new Error(`--accept takes the code of a finding; "${unknown[0]}" is none.`);
  return (finding) =>
    pairs.some(
      ([code, subject]) => (code as Code) === finding.code && (!subject || subject === finding.subject),
    );
}
