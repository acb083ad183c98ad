import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gatewayResponse, method } from './resources.ts';
import { runGateway } from './running.ts';

const { read, close } = await runGateway();
after(close);

test('what the gateway would do otherwise than AWS is refused when the template is read', () => {
  const refused: [string, object, RegExp][] = [
    [
      'UsersGet',
      method('GET', { Ref: 'Users' }, { RequestValidatorId: 'x' }),
      /UsersGet .*RequestValidatorId/,
    ],
    ['UsersGet', method('GET', { Ref: 'Users' }, { AuthorizationType: 'CUSTOM' }), /authorization CUSTOM/],
    [
      'Throttled',
      gatewayResponse('THROTTLED', { ResponseTemplates: { 'application/json': '#set($x = 1)$input.body' } }),
      /#set in a template/,
    ],
    [
      'Throttled',
      gatewayResponse('THROTTLED', { ResponseTemplates: { 'application/json': '$context.authorizer.sub' } }),
      /variable \$context\.authorizer\.sub/,
    ],
  ];
  for (const [name, changed, expected] of refused) assert.throws(() => read({ [name]: changed }), expected);
});
