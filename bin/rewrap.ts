/** `npm run rewrap`: wraps the keys of the keyring under another KMS key. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { CountersignError } from '../core/error.ts';
import { required, runProgram } from './program.ts';
import { type RewrapOptions, regionOf, rewrapRing, type Wrapping } from './rewrap/rewrap-ring.ts';

const USAGE = `npm run rewrap -- --table NAME --from-key ARN --to-key ARN --from-stack NAME [flags]
                      wraps every key of the keyring under another KMS key, or under another deployment's name

  --table NAME        the table with the keyring
  --from-key ARN      the KMS key that wraps it now
  --to-key ARN        the KMS key that is to wrap it; the same one, where only the stack's name changes
  --from-stack NAME   KEYRING_STACK of the deployment it was made for: the name of its data stack
  --to-stack NAME     the same of the deployment that is to use it     (default: as --from-stack)
  --region REGION     where the table is                               (default: as --to-key says)
  --dry-run           does all of it but the writing
  --help              this text

Credentials are the AWS SDK's usual ones: AWS_PROFILE, AWS_ACCESS_KEY_ID … They need

  dynamodb:GetItem and PutItem on the table, and kms:Decrypt through DynamoDB on the table's key;
  within one region kms:ReEncryptFrom on the one key, kms:ReEncryptTo and Decrypt on the other;
  between two regions kms:Decrypt on the one, kms:Encrypt and Decrypt on the other

It skips keys that are wrapped already, so run it again after a failure. See docs/keys.md.
`;

const program = {
  name: 'rewrap',
  command: 'npm run rewrap',
  usage: USAGE,
  options: {
    table: { type: 'string' },
    'from-key': { type: 'string' },
    'to-key': { type: 'string' },
    'from-stack': { type: 'string' },
    'to-stack': { type: 'string' },
    region: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
  },
} as const;

await runProgram(program, async (flags) => {
  const from = wrappingOf(required(flags, 'from-key'), required(flags, 'from-stack'));
  const to = wrappingOf(required(flags, 'to-key'), flags['to-stack'] ?? from.stack);
  const options: RewrapOptions = {
    dynamoDb: new DynamoDBClient({ region: flags.region ?? regionOf(to.keyArn) }),
    tableName: required(flags, 'table'),
    from,
    to,
    dryRun: flags['dry-run'],
  };
  for (const kind of ['data', 'backup-code', 'signing'] as const) {
    const outcomes = await rewrapRing(options, kind).catch(told);
    if (outcomes.length === 0) throw new Error(`${options.tableName} has no keys of kind ${kind}.`);
    for (const { id, outcome } of outcomes) console.log(`${kind.padEnd(11)}  ${id}  ${outcome}`);
  }
  if (options.dryRun) console.log('Nothing was written.');
  return 0;
});

/** Here the fault may be told: whoever runs this is an administrator. */
function told(error: unknown): never {
  throw error instanceof CountersignError ? (error.cause ?? error) : error;
}

function wrappingOf(keyArn: string, stack: string): Wrapping {
  return { kms: new KMSClient({ region: regionOf(keyArn) }), keyArn, stack };
}
