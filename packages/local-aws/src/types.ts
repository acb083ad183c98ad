import type { Clock } from './clock.ts';

/** One statement of an IAM or key policy, with every intrinsic already resolved. */
export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Principal?: unknown;
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[] | boolean>>;
}

/** Somebody who signs requests: a function under its role, or an administrator of this machine. */
export interface Principal {
  /** `arn:aws:sts::<account>:assumed-role/<role>/<function>` or `arn:aws:iam::<account>:user/<name>`. */
  arn: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** What the identity's own policies say; a key policy is held by the key. */
  policies: Statement[];
}

/** What is asked of IAM: one action on one resource, with the condition keys of this request. */
export interface AccessRequest {
  action: string;
  resource: string;
  context: Record<string, string | string[]>;
}

/** An error of an AWS service, answered by name as the JSON protocols do. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: Record<string, unknown>;
  constructor(code: string, message: string, status = 400, details: Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

export type Service = 'dynamodb' | 'kms' | 'cognito-idp' | 'lambda';

/** One request seen at the wire, for the tests that count them. Never holds the bodies. */
export interface Call {
  service: Service;
  operation: string;
  /** The principal's ARN; absent on Cognito's unsigned operations. */
  principal?: string;
  status: number;
}

/** What went over the wire, both ways, for the tests that search it for secrets. */
export interface Exchange {
  /** `execute-api` is a client at the gateway; `events` an event for a function, which has no answer. */
  service: Service | 'execute-api' | 'events';
  /** As AWS names it; of the gateway the method and the path. */
  operation: string;
  request: { headers: Record<string, string>; body: string };
  status: number;
  answer: { headers: Record<string, string>; body: string };
}

/**
 * A fault to play on one call. Before anything happens: `throttle` and `error` refuse, `reset` cuts the connection, `hang`
 * never answers. After the work is done: `error-after` answers that it failed, `lose-answer` cuts the connection,
 * `hang-after` never answers, `stall` stops in the middle of the answer.
 */
export type Fault =
  | 'throttle'
  | 'error'
  | 'reset'
  | 'hang'
  | 'error-after'
  | 'lose-answer'
  | 'hang-after'
  | 'stall';

/** What every embedded server shares. */
export interface Surroundings {
  clock: Clock;
  region: string;
  account: string;
  /** Who holds this access key id, if anyone. */
  principal(accessKeyId: string): Principal | undefined;
  /** Called when a request has been answered (or dropped). */
  onCall(call: Call): void;
  /** Called when there is an answer, whether it arrives or not, and when an event has been put. @default nobody listens */
  onExchange?(exchange: Exchange): void;
  /**
   * Asked before each request; undefined lets it through. A request waits for what takes its time: so an answer is slow,
   * or something else happens first.
   */
  fault(call: {
    service: Service;
    operation: string;
    principal?: string;
  }): Fault | undefined | Promise<Fault | undefined>;
}

export interface RunningServer {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  close(): Promise<void>;
}
