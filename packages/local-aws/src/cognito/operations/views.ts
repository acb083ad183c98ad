import type { User } from '../users.ts';

const nameValues = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));

/** A user as AdminCreateUser shows one. */
export function userView(user: User) {
  return {
    Username: user.username,
    Attributes: nameValues(user.attributes),
    UserCreateDate: user.createdAt,
    UserLastModifiedDate: user.modifiedAt,
    Enabled: user.enabled,
    UserStatus: user.status,
  };
}

/** A user as GetUser shows one to itself. */
export function ownView(user: User) {
  return { Username: user.username, UserAttributes: nameValues(user.attributes) };
}

/** A user as AdminGetUser shows one. */
export function adminView(user: User) {
  const { Attributes, ...rest } = userView(user);
  return { ...rest, UserAttributes: Attributes };
}
