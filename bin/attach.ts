/** `npm run attach`: sets Countersign's triggers in a Cognito user pool made elsewhere, and changes nothing else of it. */
import {
  GetUserPoolMfaConfigCommand,
  UpdateUserPoolCommand,
  type UpdateUserPoolCommandInput,
  type UserPoolType,
} from '@aws-sdk/client-cognito-identity-provider';
import { canonical, differences, keptFields, obstacles, updateRequest } from './attach/carry.ts';
import { describePool } from './attach/described.ts';
import { type Change, changed, changes, essence } from './attach/lambda-config.ts';
import { type Wanted, wantedTriggers } from './attach/wanted.ts';
import { type Connection, connect } from './doctor/connection.ts';
import { permits } from './doctor/invoke-policy.ts';
import { readFunction } from './doctor/read.ts';
import { permissionCommand } from './doctor/trigger-findings.ts';
import { required, runProgram } from './program.ts';

const USAGE = `npm run attach -- --user-pool-id ID --outputs FILE [flags]    sets Countersign's triggers in a pool made elsewhere

  --user-pool-id ID            the pool
  --region REGION              where it is                        (default: as its id says)
  --outputs FILE               what "cdk deploy --outputs-file FILE" wrote
  --stack NAME                 whose outputs of it                (default: the one that has triggers)
  --define ARN --create ARN --verify ARN --pre-token-generation ARN --post-confirmation ARN
                               the functions, instead of --outputs
  --replace                    also where a trigger is set to another function now
  --apply                      does it; without it, only what would change is shown
  --help                       this text

Every other setting of the pool is sent back as it is, since UpdateUserPool resets what it is not given; the pool is read
again afterwards and compared. Credentials are the AWS SDK's usual ones. It needs

  cognito-idp:DescribeUserPool and GetUserPoolMfaConfig on the pool, lambda:GetFunctionConfiguration and GetPolicy on
  the functions; for --apply also cognito-idp:UpdateUserPool, and iam:PassRole for the role of a pool that sends SMS

Exit status: 0 done, nothing to do, or shown; 1 refused, or not as it should be afterwards; 2 a fault. See docs/doctor.md.
`;

/** A reason to stop that is no fault. */
class Refusal extends Error {}

const program = {
  name: 'attach',
  command: 'npm run attach',
  usage: USAGE,
  options: {
    'user-pool-id': { type: 'string' },
    region: { type: 'string' },
    outputs: { type: 'string' },
    stack: { type: 'string' },
    define: { type: 'string' },
    create: { type: 'string' },
    verify: { type: 'string' },
    'pre-token-generation': { type: 'string' },
    'post-confirmation': { type: 'string' },
    replace: { type: 'boolean', default: false },
    apply: { type: 'boolean', default: false },
  },
  statusOf: (error: unknown) => (error instanceof Refusal ? 1 : 2),
} as const;

await runProgram(program, async (flags) => {
  const id = required(flags, 'user-pool-id');
  const { 'user-pool-id': _id, region, outputs, stack, replace, apply, ...rest } = flags;
  const connection = connect(id, region);
  const wanted = wantedTriggers({ flags: rest, outputs, stack });

  const described = await describePool(connection.cognito, id);
  const { pool } = described;
  const plan = changes(pool.LambdaConfig, wanted);
  if (plan.length === 0) return say(`User pool ${id} calls these functions already: nothing to do.`);

  const before = await connection.cognito.send(new GetUserPoolMfaConfigCommand({ UserPoolId: id }));
  showPlan(pool, plan);
  refuse(obstacles(described, before.MfaConfiguration), 'Not everything could be kept');
  if (!replace)
    refuse(
      plan.filter(({ replaces }) => replaces).map(({ name, before }) => `${name}: ${before}`),
      'Set to other functions now, which --replace would replace',
    );
  refuse(await forbidden(connection, pool, wanted), 'Cognito could not invoke them');
  if (!apply) return say('Nothing has been changed. To do it, add --apply.');

  const { $metadata: _before, ...mfa } = before;
  await update(connection, updateRequest(pool, changed(pool.LambdaConfig, wanted)), pool, mfa);
  return say(`Done: read again, user pool ${id} differs from before by these triggers alone.`);
});

/** Updates, reads again and compares. @throws Refusal with every difference that should not be there */
async function update(
  { cognito }: Connection,
  request: UpdateUserPoolCommandInput,
  before: UserPoolType,
  mfa: object,
): Promise<void> {
  const id = request.UserPoolId ?? '';
  await cognito.send(new UpdateUserPoolCommand(request));
  const { pool: after, unknown } = await describePool(cognito, id);
  const { $metadata: _, ...mfaAfter } = await cognito.send(
    new GetUserPoolMfaConfigCommand({ UserPoolId: id }),
  );
  const found = differences(before, after);
  const [triggersWanted, triggersAfter] = [essence(request.LambdaConfig), essence(after.LambdaConfig)];
  if (canonical(triggersWanted) !== canonical(triggersAfter)) {
    found.push({ field: 'LambdaConfig', before: triggersWanted, after: triggersAfter });
  }
  if (canonical(mfa) !== canonical(mfaAfter)) found.push({ field: 'MFA', before: mfa, after: mfaAfter });
  refuse(
    [
      ...found.map(
        ({ field, before: was, after: is }) => `${field} should be ${canonical(was)} and is ${canonical(is)}`,
      ),
      ...unknown.map((path) => `${path} is new, and not known here`),
    ],
    'The pool has been updated, and more has changed than should have. Set right what is named above',
  );
}

function showPlan(pool: UserPoolType, plan: Change[]): void {
  say(`User pool ${pool.Id} "${pool.Name ?? ''}"\n`);
  for (const { name, before, after } of plan) {
    if (before !== undefined) say(`  - ${name}: ${before}`);
    say(`  + ${name}: ${after}`);
  }
  say(`\nKept as they are: ${keptFields(pool).join(', ')}\n`);
  const stack = pool.UserPoolTags?.['aws:cloudformation:stack-name'];
  if (stack === undefined) return;
  say(
    `This pool belongs to the CloudFormation stack ${stack}: its next update may take the triggers away. Better set them there.\n`,
  );
}

/** The functions that Cognito may not invoke for this pool, with what would let it. */
async function forbidden(
  { lambda }: Connection,
  { Arn = '' }: UserPoolType,
  wanted: Wanted,
): Promise<string[]> {
  const sentences: string[] = [];
  for (const [name, arn] of wanted) {
    const target = await readFunction(lambda, arn);
    if (!target) sentences.push(`${name}: ${arn} does not exist`);
    else if (permits(target.policy, Arn) === 'no') sentences.push(permissionCommand(arn, Arn, name));
  }
  return sentences;
}

/** @throws Refusal where there is a sentence, after all of them */
function refuse(sentences: string[], reason: string): void {
  if (sentences.length === 0) return;
  for (const sentence of sentences) say(`  ! ${sentence}`);
  throw new Refusal(`${reason}.`);
}

function say(line: string): undefined {
  console.log(line);
}
