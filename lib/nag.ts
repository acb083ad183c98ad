import { Validations } from 'aws-cdk-lib';
import type { Method, RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { UserPool } from 'aws-cdk-lib/aws-cognito';
import type { Route } from '../functions/routes.ts';

const whoChecks: Record<Route['caller'], string> = {
  open: 'Public keys and metadata, which everyone must be able to read to check a token.',
  key: 'It takes the credentials themselves: a password, a challenge or a refresh token, checked in the function.',
  bearer:
    'The function checks the access token itself, against cached keys, so that no cached policy outlives it.',
  iam: 'IAM authorizes it, by the signature of the request.',
};

/** Why a method is authorized otherwise than by an authorizer on a Cognito pool. */
export function acknowledgeMethod(method: Method, { caller }: Route): void {
  const rules = caller === 'iam' ? ['COG4'] : ['APIG4', 'COG4'];
  Validations.of(method).acknowledge(
    ...rules.map((rule) => ({ id: `AwsSolutions::AwsSolutions-${rule}`, reason: whoChecks[caller] })),
  );
}

/** Why the API has no request models, no web ACL if none is configured and, for its logs, a policy of AWS's own. */
export function acknowledgeApi(api: RestApi, { firewall }: { firewall: boolean }): void {
  Validations.of(api).acknowledge({
    id: 'AwsSolutions::AwsSolutions-APIG2',
    reason:
      'Every function checks its whole request against a strict schema and answers in the shape of the API.',
  });
  if (!firewall) {
    Validations.of(api.deploymentStage).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG3',
      reason:
        'A web ACL costs a monthly fee and is the choice of the account; guessing is stopped by the record itself.',
    });
  }
  const role = api.node.tryFindChild('CloudWatchRole');
  if (!role) return;
  Validations.of(role).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
    reason:
      'The policy AWS prescribes for the one role through which API Gateway writes the logs of an account.',
  });
}

/** Why the pool has no MFA and is not on the Plus plan. */
export function acknowledgeUserPool(userPool: UserPool): void {
  Validations.of(userPool).acknowledge(
    {
      id: 'AwsSolutions::AwsSolutions-COG2',
      reason: 'Countersign is the second factor; the pool’s own would come before it.',
    },
    {
      id: 'AwsSolutions::AwsSolutions-COG8',
      reason:
        'The Plus plan is priced by active user and is the choice of the account; nothing here needs it.',
    },
  );
}
