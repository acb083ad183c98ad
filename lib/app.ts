import { App, type AppProps } from 'aws-cdk-lib';
import { ApiStack } from './api-stack.ts';
import { type Bundle, bundleFunctions } from './bundle.ts';
import { readConfig } from './config.ts';
import { DataStack } from './data-stack.ts';
import { IdentityStack } from './identity-stack.ts';

/**
 * The whole deployment, not yet synthesized: the stacks `<Name>Data`, `<Name>Identity` and `<Name>Api`. It belongs to
 * no account and no region, so that synthesis needs neither.
 *
 * @param props as of any App: its context (`countersign` and the feature flags) and outdir. By default both are what
 * the CDK's command line says in CDK_CONTEXT_JSON and CDK_OUTDIR.
 * @param bundles by default made here, from the sources as they are now
 * @throws Error that lists the faults of the configuration, or that esbuild found.
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
