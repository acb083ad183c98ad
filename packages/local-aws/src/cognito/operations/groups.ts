import { AwsError } from '../../aws-error.ts';
import type { Operation } from '../../http/json-protocol.ts';
import { resourceNotFound } from '../errors.ts';
import { type Input, optional, required } from '../input.ts';
import type { Pool } from '../pool.ts';
import { type Cognito, guarded, guardedUser } from './access.ts';

type Group = Pool['file']['value']['groups'][number];

const view = (pool: Pool, group: Group) => ({
  GroupName: group.name,
  UserPoolId: pool.id,
  ...(group.description === undefined ? {} : { Description: group.description }),
  ...(group.precedence === undefined ? {} : { Precedence: group.precedence }),
  CreationDate: group.createdAt,
  LastModifiedDate: group.createdAt,
});

function groupNamed(pool: Pool, input: Input): Group {
  const name = required(input, 'GroupName');
  const group = pool.file.value.groups.find((candidate) => candidate.name === name);
  if (!group) throw resourceNotFound('Group not found.');
  return group;
}

/** Groups, which tokens carry as `cognito:groups`. */
export function groupOperations(cognito: Cognito): Record<string, Operation> {
  return {
    CreateGroup: guarded(cognito, 'CreateGroup', (pool, input) => {
      const name = required(input, 'GroupName');
      if (pool.file.value.groups.some((group) => group.name === name)) {
        throw new AwsError('GroupExistsException', 'A group with the name already exists.');
      }
      const description = optional(input, 'Description');
      const precedence = input['Precedence'];
      const group: Group = {
        name,
        ...(description === undefined ? {} : { description }),
        ...(typeof precedence === 'number' ? { precedence } : {}),
        createdAt: pool.clock.seconds(),
      };
      pool.file.value.groups.push(group);
      pool.file.save();
      return { Group: view(pool, group) };
    }),
    AdminAddUserToGroup: guardedUser(cognito, 'AdminAddUserToGroup', (pool, user, input) => {
      const { name } = groupNamed(pool, input);
      if (!user.groups.includes(name)) user.groups.push(name);
      pool.users.save(user);
    }),
    AdminRemoveUserFromGroup: guardedUser(cognito, 'AdminRemoveUserFromGroup', (pool, user, input) => {
      const { name } = groupNamed(pool, input);
      user.groups = user.groups.filter((group) => group !== name);
      pool.users.save(user);
    }),
    AdminListGroupsForUser: guardedUser(cognito, 'AdminListGroupsForUser', (pool, user) => ({
      Groups: pool.file.value.groups
        .filter((group) => user.groups.includes(group.name))
        .map((group) => view(pool, group)),
    })),
  };
}
