import type { IncomingMessage } from 'node:http';

const MAX_BODY_BYTES = 10_485_760;

/** One HTTP request as received. */
export interface Request {
  method: string;
  /** As on the wire, without the query. */
  path: string;
  query: string;
  /** In order, names as sent. */
  headers: [string, string][];
  sourceIp: string;
  protocol: string;
  body: Buffer;
}

/** Reads the whole request; undefined if the client went away. A body over the limit is read and dropped. */
export async function readRequest(
  incoming: IncomingMessage,
): Promise<(Request & { tooLarge: boolean }) | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming) {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  const [path = '/', query = ''] = (incoming.url ?? '/').split(/\?(.*)/s);
  const { rawHeaders } = incoming;
  const headers: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  return {
    method: incoming.method ?? 'GET',
    path,
    query,
    headers,
    sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
    protocol: `HTTP/${incoming.httpVersion}`,
    body: Buffer.concat(chunks),
    tooLarge: length > MAX_BODY_BYTES,
  };
}

/** The first value of a header, whatever its case. */
export function headerOf(request: Pick<Request, 'headers'>, name: string): string | undefined {
  return request.headers.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1];
}

/** Lowers the names and joins repeated headers by commas, as a signature does. */
export function joinedHeaders(headers: Iterable<[string, unknown]>): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    all[lower] = all[lower] === undefined ? String(value) : `${all[lower]},${value}`;
  }
  return all;
}
