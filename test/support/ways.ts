import assert from 'node:assert/strict';
import type { Service } from '../../local/service.ts';
import { type Answer, type Client, challengeFor, codeAt, enrollPerson, text } from './client.ts';
import { createPerson } from './people.ts';

type Proof = { code: string } | { backupCode: string };

/** Creates a user with a second factor. */
export async function enrolledPerson(service: Service, client: Client) {
  const person = await createPerson(service);
  return { person, ...(await enrollPerson(service, client, person)) };
}

/** Advances the clock to the start of the next time step, so that no step ends in the middle of a test. */
export function nextStep({ clock }: Service): void {
  clock.advance(30 - ((clock.now() / 1000) % 30) + 0.01);
}

/**
 * Creates a user with a second factor and a spare authenticator, and returns every way to present a code or a
 * backup code. After a way that changes the factor, the session continues with the tokens of its answer.
 */
export async function personWithWays(service: Service, client: Client) {
  const enrolled = await enrolledPerson(service, client);
  const { person } = enrolled;
  let { access } = enrolled;
  const goOn = (answer: Answer): Answer => {
    if (typeof answer.body['accessToken'] === 'string') access = answer.body['accessToken'];
    return answer;
  };
  const post = async (path: string, body: unknown) => goOn(await client.post(path, body, access));

  const spare = await post('/v1/totp/enroll', { name: 'Spare', code: enrolled.code() });
  const spareId = text(spare, 'authenticatorId');
  const spareCode = () => codeAt(text(spare, 'secret'), service.clock.seconds());
  const added = await post('/v1/totp/confirm', { authenticatorId: spareId, code: spareCode() });
  assert.equal(added.status, 200);
  nextStep(service);

  const ways = {
    'verify-login': async (proof: Proof) =>
      goOn(
        await client.post('/v1/auth/verify', {
          challengeToken: await challengeFor(client, person),
          ...proof,
        }),
      ),
    verify: (proof: Proof) => post('/v1/authenticators/verify', proof),
    enroll: (proof: Proof) => post('/v1/totp/enroll', { name: 'Third', ...proof }),
    disable: (proof: Proof) => post('/v1/authenticators/disable', { authenticatorId: spareId, ...proof }),
    'rotate-backup-codes': (proof: Proof) => post('/v1/backup-codes/rotate', proof),
  };
  return {
    ...enrolled,
    ways,
    access: () => access,
    /** Starts to add an authenticator, and returns the way to present a code for it. */
    async confirming(proof: Proof) {
      const pending = await ways.enroll(proof);
      const authenticatorId = text(pending, 'authenticatorId');
      return {
        secret: text(pending, 'secret'),
        confirm: (code: string) => post('/v1/totp/confirm', { authenticatorId, code }),
      };
    },
  };
}

export type PersonWithWays = Awaited<ReturnType<typeof personWithWays>>;
export type Way = keyof PersonWithWays['ways'];
export const wayNames: Way[] = ['verify-login', 'verify', 'enroll', 'disable', 'rotate-backup-codes'];
/** The ways that also take a backup code. */
export const backupCodeWays = wayNames.filter((way) => way !== 'rotate-backup-codes');
