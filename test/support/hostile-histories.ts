import type { Step } from '../../core/custom-auth.ts';

const step = (challengeName: string, challengeResult: unknown = true) =>
  ({ challengeName, challengeResult }) as Step;
const srp = step('SRP_A');
const password = step('PASSWORD_VERIFIER');
const right = step('CUSTOM_CHALLENGE');
const wrong = step('CUSTOM_CHALLENGE', false);

/** The history after the password, when the challenge for the second factor follows. */
export const passwordProved = [srp, password];

/** Histories that lead to no challenge, because the password did not come first or was wrong. */
export const withoutPassword: [what: string, session: Step[]][] = [
  ['nothing', []],
  ['SRP that failed', [step('SRP_A', false)]],
  ['the password without SRP', [password]],
  ['the password before SRP', [password, srp]],
  ['the password after SRP that failed', [step('SRP_A', false), password]],
  ['a wrong password', [srp, step('PASSWORD_VERIFIER', false)]],
  ['a wrong password, then the right one', [srp, step('PASSWORD_VERIFIER', false), password]],
  ['a wrong password, then a right code', [srp, step('PASSWORD_VERIFIER', false), right]],
  ['a right code alone', [right]],
  ['a right code in the place of the password', [srp, right]],
  ['a right code before the password', [right, srp, password]],
  ['a right code between SRP and the password', [srp, right, password]],
  ['a device in the place of the password', [srp, step('DEVICE_PASSWORD_VERIFIER')]],
  ['a new password in its place', [srp, step('NEW_PASSWORD_REQUIRED')]],
  ['names in other letters', [step('srp_a'), step('password_verifier')]],
  ['results that are text', [step('SRP_A', 'true'), step('PASSWORD_VERIFIER', 'true')]],
  ['results that are one', [step('SRP_A', 1), step('PASSWORD_VERIFIER', 1)]],
];

/** Histories that begin with the password, but that Cognito would not send. They lead to no tokens. */
export const afterPassword: [what: string, session: Step[]][] = [
  ['the password twice', [srp, password, password]],
  ["Cognito's own second factor", [srp, password, step('SMS_MFA')]],
  ['a software token', [srp, password, step('SOFTWARE_TOKEN_MFA'), right]],
  ['a device', [srp, password, step('DEVICE_SRP_AUTH'), step('DEVICE_PASSWORD_VERIFIER')]],
  ['a new password', [srp, password, step('NEW_PASSWORD_REQUIRED')]],
  ['a foreign challenge that failed, then a right code', [srp, password, step('SMS_MFA', false), right]],
  ['a foreign challenge between answers', [srp, password, wrong, step('SMS_MFA'), right]],
  ['a right code, then a wrong one', [srp, password, right, wrong]],
  ['a right code twice', [srp, password, right, right]],
  ['a right code, a wrong one, a right one', [srp, password, right, wrong, right]],
  ['three wrong codes', [srp, password, wrong, wrong, wrong]],
  ['a right code after three wrong ones', [srp, password, wrong, wrong, wrong, right]],
  ['a result that is text, then a right code', [srp, password, step('CUSTOM_CHALLENGE', 'false'), right]],
  ['an answer without a result, then a right code', [srp, password, step('CUSTOM_CHALLENGE', null), right]],
  ['a step without a name', [srp, password, step('', true)]],
];

/** Histories whose last result is not `true`. It counts as a wrong answer, and another challenge follows. */
export const notRight: Step[][] = ['true', 'false', 1, {}, null].map((result) => [
  ...passwordProved,
  step('CUSTOM_CHALLENGE', result),
]);
