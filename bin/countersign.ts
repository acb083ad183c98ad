import { Validations } from 'aws-cdk-lib';
import { buildApp } from '../lib/app.ts';

const app = buildApp();
// A synthesis for this machine alone leaves the checks out; whatever is deployed has passed them.
if (process.env['CDK_VALIDATION'] !== 'false') {
  const { AwsSolutionsChecks } = await import('cdk-nag');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
app.synth();
