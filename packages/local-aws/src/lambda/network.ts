import dgram from 'node:dgram';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import https from 'node:https';
import net from 'node:net';

// An import would also load undici, for WebSocket. That is a third of the cost of starting an environment.
const http = process.getBuiltinModule('node:http');

/** Host name → the endpoint on loopback that stands for it, as DNS and TLS would lead there. */
export type Hosts = Record<string, string>;

/**
 * Closes this thread's network except loopback. HTTPS requests to a host of `hosts` go to its endpoint. A connection to
 * anywhere else fails with ECONNREFUSED, and the error names the destination.
 */
export function confineNetwork(hosts: Hosts): void {
  routeFetch(hosts);
  routeHttps(hosts);
  refuseConnections();
  dgram.createSocket = () => {
    throw refusal('a UDP socket');
  };
}

function routeFetch(hosts: Hosts): void {
  const fetchThere = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const endpoint = hosts[url.hostname];
    if (endpoint === undefined) return fetchThere(input, init);
    const routed = new URL(url.pathname + url.search, endpoint);
    return fetchThere(input instanceof Request ? new Request(routed, input) : routed, init);
  };
}

function routeHttps(hosts: Hosts): void {
  type Callback = (response: IncomingMessage) => void;
  const requestThere = https.request.bind(https);

  function request(first: string | URL | RequestOptions, ...rest: unknown[]): ClientRequest {
    const callback = rest.find((argument): argument is Callback => typeof argument === 'function');
    const second = rest.find((argument): argument is RequestOptions => typeof argument === 'object');
    const url = typeof first === 'string' || first instanceof URL ? new URL(first) : undefined;
    const options: RequestOptions = {
      ...(url
        ? { hostname: url.hostname, port: url.port, path: url.pathname + url.search }
        : (first as RequestOptions)),
      ...second,
    };
    const endpoint = hosts[options.hostname ?? options.host ?? ''];
    if (endpoint === undefined) return requestThere(options, callback);
    const { hostname, port } = new URL(endpoint);
    const { agent: _, host: __, ...routed } = options;
    return http.request({ ...routed, protocol: 'http:', hostname, port }, callback);
  }

  https.request = request as typeof https.request;
  https.get = ((...given: Parameters<typeof request>) => {
    const sent = request(...given);
    sent.end();
    return sent;
  }) as typeof https.get;
}

function refuseConnections(): void {
  const connectThere = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function connect(this: net.Socket, ...given: unknown[]) {
    const where = destination(given);
    if (isLoopback(where)) return Reflect.apply(connectThere, this, given);
    queueMicrotask(() => this.destroy(refusal(where)));
    return this;
  } as typeof connectThere;
}

/** Reads the host, or a local socket's path, from the arguments of `net.connect` in all their forms. */
function destination(given: unknown[]): string {
  const first: unknown = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (typeof first === 'object' && first !== null) {
    const options = first as { host?: string; path?: string };
    return options.path ?? options.host ?? 'localhost';
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return first;
  return typeof given[1] === 'string' ? given[1] : 'localhost';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function refusal(where: string): Error {
  return Object.assign(new Error(`No way out of this machine: a function asked for ${where}.`), {
    code: 'ECONNREFUSED',
  });
}
