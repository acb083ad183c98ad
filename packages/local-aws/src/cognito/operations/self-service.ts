import type { Operation } from '../../http/json-protocol.ts';
import { checkWritable } from '../client.ts';
import { attributeList } from '../input.ts';
import { type Cognito, holder } from './access.ts';
import { signOutEverywhere } from './admin-users.ts';
import { ownView } from './views.ts';

/** Operations of a signed-in user, by the access token. */
export function selfServiceOperations({ pools }: Cognito): Record<string, Operation> {
  return {
    GetUser: async ({ input }) => ownView((await holder(pools, input)).user),
    GlobalSignOut: async ({ input }) => {
      const { pool, user } = await holder(pools, input);
      signOutEverywhere(pool, user);
      return {};
    },
    UpdateUserAttributes: async ({ input }) => {
      const { pool, user, claims } = await holder(pools, input);
      const attributes = attributeList(input, 'UserAttributes');
      checkWritable(pools.byClient(claims.client_id).client, attributes);
      pool.users.setAttributes(user, attributes);
      return { CodeDeliveryDetailsList: [] };
    },
  };
}
