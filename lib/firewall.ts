import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { type Route, routes } from '../functions/routes.ts';
import type { Config } from './config.ts';

export interface FirewallProps {
  stage: Stage;
  limits: NonNullable<Config['firewall']>;
}

/** Seconds over which AWS WAF counts requests, as by default. */
const WINDOW = 300;

/**
 * AWS WAF in front of the stage. It limits the requests of each address, before they count against an API
 * key's limits. An address above its limit gets 403 `request_filtered` (the gateway response WAF_FILTERED).
 */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, { stage, limits }: FirewallProps) {
    super(scope, id);
    const acl = new CfnWebACL(this, 'WebAcl', {
      description: 'Countersign: requests of one address',
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: measured('Countersign'),
      rules: [
        rule(0, 'RequestsPerAddress', limits.requestsPerAddress),
        rule(1, 'GuessablePerAddress', limits.guessablePerAddress, pathIsOneOf(guessablePaths())),
      ],
    });
    new CfnWebACLAssociation(this, 'Association', { resourceArn: stage.stageArn, webAclArn: acl.attrArn });
  }
}

function rule(
  priority: number,
  name: string,
  limit: number,
  scopeDownStatement?: CfnWebACL.StatementProperty,
): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    action: { block: {} },
    visibilityConfig: measured(name),
    statement: {
      rateBasedStatement: {
        aggregateKeyType: 'IP',
        evaluationWindowSec: WINDOW,
        limit,
        ...(scopeDownStatement && { scopeDownStatement }),
      },
    },
  };
}

function measured(metricName: string): CfnWebACL.VisibilityConfigProperty {
  // Samples would contain headers: API keys and tokens.
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}

/** Returns the paths that take a password, a code or a refresh token. */
function guessablePaths(): string[] {
  return Object.values<Route>(routes).flatMap(({ path, guessable }) => (guessable ? [path] : []));
}

/** Matches the end of the path, because a stage's name or a base path comes before it. */
function pathIsOneOf(paths: string[]): CfnWebACL.StatementProperty {
  return {
    regexMatchStatement: {
      fieldToMatch: { uriPath: {} },
      regexString: `(${paths.join('|')})/*$`,
      textTransformations: [
        { priority: 0, type: 'URL_DECODE' },
        { priority: 1, type: 'NORMALIZE_PATH' },
      ],
    },
  };
}
