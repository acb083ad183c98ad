import { AwsError } from '../aws-error.ts';

/** HTTP 400 `InvalidParameterException`. */
export const invalidParameter = (message: string) => new AwsError('InvalidParameterException', message);

/** HTTP 400 `NotAuthorizedException`, the answer to a sign-in that fails. */
export const notAuthorized = (message: string) => new AwsError('NotAuthorizedException', message);

/** The one answer to a wrong password, and to an unknown name if the client hides who exists. */
export const incorrect = () => notAuthorized('Incorrect username or password.');

/** The answer to an unknown name, for administrators and for clients that hide nothing. */
export const userNotFound = () => new AwsError('UserNotFoundException', 'User does not exist.');

/** HTTP 400 `ResourceNotFoundException`: no such pool, client or group. */
export const resourceNotFound = (message: string) => new AwsError('ResourceNotFoundException', message);
