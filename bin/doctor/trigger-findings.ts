import type { Code, Finding } from './finding.ts';
import { permits } from './invoke-policy.ts';
import { type FunctionFacts, needed, type PoolFacts, type TriggerName, triggerArn } from './read.ts';

/** The finding for each trigger if it is missing. */
const MISSING: Record<TriggerName, Code> = {
  DefineAuthChallenge: 'challenge-trigger-missing',
  CreateAuthChallenge: 'challenge-trigger-missing',
  VerifyAuthChallengeResponse: 'challenge-trigger-missing',
  PreTokenGenerationConfig: 'token-trigger-missing',
  PostConfirmation: 'confirmation-trigger-missing',
};

/**
 * Returns the findings about a pool's triggers: is each set to the right function, and may Cognito invoke it?
 */
export function triggerFindings(facts: PoolFacts): Finding[] {
  const { id, pool } = facts;
  const attach = `npm run attach -- --user-pool-id ${id} --outputs FILE`;
  const home = commonTable(facts);
  return [...needed].flatMap(([name, operation]): Finding[] => {
    const finding = (code: Code, found: string, remedy: string): Finding => ({
      code,
      subject: name,
      about: `trigger ${name}`,
      found,
      remedy,
    });
    const arn = triggerArn(pool.LambdaConfig, name);
    if (arn === undefined) return [finding(MISSING[name], 'not set', `${attach} --apply`)];
    const target = facts.functions.get(arn);
    if (!target) {
      return [finding('trigger-gone', `${arn} does not exist`, `${attach} --replace --apply`)];
    }
    const findings: Finding[] = [];
    if (target.description !== descriptionOf(operation)) {
      findings.push(
        finding(
          'trigger-not-countersign',
          `${arn} describes itself as "${target.description ?? ''}", not as "${descriptionOf(operation)}"`,
          `${attach} --replace --apply`,
        ),
      );
    } else if (target.tableName !== home) {
      findings.push(
        finding(
          'trigger-other-deployment',
          `${arn} uses the table ${target.tableName}, the other triggers use ${home}`,
          `${attach} --replace --apply`,
        ),
      );
    }
    if (name === 'PreTokenGenerationConfig') findings.push(...versionFindings(facts, finding));
    findings.push(...permissionFindings(target, arn, pool.Arn ?? '', name, finding));
    return findings;
  });
}

/** Returns the description of Countersign's function for an operation. */
export function descriptionOf(operation: string): string {
  return `Countersign: ${operation}`;
}

/** Returns the command that lets Cognito invoke a function for this pool only. */
export function permissionCommand(functionArn: string, poolArn: string, name: string): string {
  const region = poolArn.split(':')[3];
  return `aws lambda add-permission --region ${region} --function-name ${functionArn} --statement-id cognito-${poolArn.split('/')[1]}-${name} --action lambda:InvokeFunction --principal cognito-idp.amazonaws.com --source-arn ${poolArn}`;
}

function versionFindings(
  { pool }: PoolFacts,
  finding: (code: Code, found: string, remedy: string) => Finding,
): Finding[] {
  const version = pool.LambdaConfig?.PreTokenGenerationConfig?.LambdaVersion ?? 'V1_0';
  if (version !== 'V1_0') return [];
  const remedy = `Set PreTokenGenerationConfig with LambdaVersion: V2_0 instead of PreTokenGeneration: npm run attach does this${
    pool.UserPoolTier === 'LITE' ? ', once UserPoolTier is ESSENTIALS, which V2_0 needs' : ''
  }.`;
  return [finding('token-trigger-version', `Cognito calls it with events of ${version}`, remedy)];
}

function permissionFindings(
  { policy }: FunctionFacts,
  arn: string,
  poolArn: string,
  name: TriggerName,
  finding: (code: Code, found: string, remedy: string) => Finding,
): Finding[] {
  const permitted = permits(policy, poolArn);
  if (permitted === 'yes') return [];
  const command = permissionCommand(arn, poolArn, name);
  if (permitted === 'no') {
    return [
      finding('invoke-permission-missing', `no statement of ${arn} permits it for ${poolArn}`, command),
    ];
  }
  return [
    finding(
      'invoke-permission-open',
      `a statement of ${arn} has neither AWS:SourceArn nor AWS:SourceAccount`,
      `${command} ; then remove the open statement: aws lambda remove-permission`,
    ),
  ];
}

/** Returns the table that most of Countersign's trigger functions use; the first of them if two are equal. */
function commonTable({ pool, functions }: PoolFacts): string | undefined {
  const counted = new Map<string | undefined, number>();
  for (const name of needed.keys()) {
    const target = functions.get(triggerArn(pool.LambdaConfig, name) ?? '');
    if (!target?.description?.startsWith(descriptionOf(''))) continue;
    counted.set(target.tableName, (counted.get(target.tableName) ?? 0) + 1);
  }
  return [...counted].toSorted(([, one], [, other]) => other - one)[0]?.[0];
}
