import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Deployment, readDeployment } from '../../src/cloudformation/deployment.ts';
import { scratchFolder, writeAssembly } from '../../testing/assembly.ts';

/**
 * Deployments of one function and one rule of EventBridge that has it for its target, with these properties besides.
 *
 * @returns a new deployment each time, for the tests of one file
 */
export function ruleDeployments(name: string, functionName: string, ruleName: string) {
  const root = scratchFolder(name);
  after(() => rmSync(root, { recursive: true }));
  let count = 0;
  return (rule: object): Deployment => {
    const folder = join(root, String(count++));
    mkdirSync(folder);
    const Targets = [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Function', 'Arn'] } }];
    return readDeployment({
      assembly: writeAssembly(join(folder, 'assembly'), {
        Stack: {
          Resources: {
            Function: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: functionName } },
            TheRule: { Type: 'AWS::Events::Rule', Properties: { Name: ruleName, Targets, ...rule } },
          },
        },
      }),
      region: 'us-east-1',
      account: '000000000000',
      folder,
    });
  };
}
