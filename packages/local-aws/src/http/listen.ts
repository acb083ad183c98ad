import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RunningServer {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  close(): Promise<void>;
}

/**
 * Serves on 127.0.0.1.
 *
 * @param port @default any free one
 * @param closing what `close` does with open connections: `drain` lets their requests finish, `cut` ends them
 * @throws Error with the code EADDRINUSE if the port is taken
 */
export async function listen(
  server: Server,
  { port = 0, closing }: { port?: number | undefined; closing: 'drain' | 'cut' },
): Promise<RunningServer> {
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
  await listening;
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      if (closing === 'drain') server.closeIdleConnections();
      else server.closeAllConnections();
      return closed;
    },
  };
}
