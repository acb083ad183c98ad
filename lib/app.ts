import { App, type AppProps } from 'aws-cdk-lib';
import { ApiStack } from './api-stack.ts';
import { type Bundle, bundleFunctions } from './bundle.ts';
import { readConfig } from './config.ts';
import { DataStack } from './data-stack.ts';
import { IdentityStack } from './identity-stack.ts';

/**
 * Builds the whole deployment, without synthesizing it: the stacks `<Name>Data`, `<Name>Identity` and
 * `<Name>Api`. They name no account and no region, so that synthesis needs neither.
 *
 * @param props of any App: the context (`countersign` and the feature flags) and outdir. By default the CDK's
 * command line passes both in CDK_CONTEXT_JSON and CDK_OUTDIR
 * @param bundles of every function; built here from the current sources by default
 * @throws Error that lists the faults of the configuration, or those that esbuild found
 */
export function buildApp(props: AppProps = {}, bundles: Record<string, Bundle> = bundleFunctions()): App {
  const app = new App(props);
  const config = readConfig(app.node.tryGetContext('countersign'));
  const data = new DataStack(app, `${config.name}Data`, { config, bundles });
  const identity = new IdentityStack(app, `${config.name}Identity`, {
    config,
    bundles,
    table: data.table,
    tableKey: data.tableKey,
    keyringKey: data.keyringKey,
    keyringStack: data.keyringStack,
  });
  new ApiStack(app, `${config.name}Api`, {
    config,
    bundles,
    table: data.table,
    tableKey: data.tableKey,
    keyringKey: data.keyringKey,
    keyringStack: data.keyringStack,
    userPool: identity.userPool,
    loginClient: identity.loginClient,
    appsClient: identity.appsClient,
  });
  return app;
}
