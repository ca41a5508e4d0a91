import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { Account, Keys } from './account.js';
import { Authenticator } from './authenticate.js';
import { Faults, sendFault, sendJson, type Answer } from './fault.js';
import { serveMetadata } from './metadata.js';
import { Params } from './params.js';
import { findHandler } from './products.js';
import { Refusal } from './refusal.js';
import type { WireRequest } from './signature.js';
import { assumeRoleWithOidc, STS_VERSION } from './sts.js';
import type { WireWorld } from './wire-world.js';

export interface FakeCloudOptions {
  readonly world: WireWorld;
  readonly account: z.input<typeof Account>;
  /** No answer has more items than this; 1000 when left out, i.e. the limits of the real calls. */
  readonly smallPage?: number;
  readonly now?: () => number;
  readonly onCall?: (call: Call) => void;
  /** Keys of another fake, when two are one cloud. */
  readonly keys?: Keys;
  /** STS is asked over HTTPS only. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

const MAX_REQUESTS = 100;

/** One call as the cloud saw it. */
export interface Call {
  readonly action: string;
  readonly at: number;
  readonly status: number | 'fault';
  readonly regionId: string | undefined;
}

/**
 * A cloud on loopback that speaks Alibaba Cloud's RPC protocol: signature V3, STS sessions, pages, error codes, and faults on demand.
 * It serves a world of cloud-neutral objects. All products answer on one port and are told apart by x-acs-version.
 */
export class FakeCloud {
  readonly faults = new Faults();
  readonly keys: Keys;
  /** The last requests as they came, for tests that send one again. */
  readonly requests: WireRequest[] = [];
  private readonly log: Call[] = [];
  private readonly authenticator: Authenticator;
  private readonly server: Server;
  private readonly now: () => number;
  private world: WireWorld;
  private running = 0;
  private most = 0;

  constructor(private readonly options: FakeCloudOptions) {
    this.now = options.now ?? Date.now;
    this.world = options.world;
    this.keys = options.keys ?? new Keys(Account.parse(options.account), this.now);
    this.authenticator = new Authenticator(this.keys, this.now);
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.serve(request, response).catch((error: unknown) => {
        // Shown by the test that sees the status: the fake itself is broken.
        if (!response.headersSent)
          sendJson(response, 599, JSON.stringify({ Code: 'FakeBroken', Message: String(error) }));
        else response.destroy();
      });
    };
    this.server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  }

  async start(port = 0, host = '127.0.0.1'): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(port, host, resolve);
    });
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** `127.0.0.1:port`, as an SDK wants it. */
  get endpoint(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the fake cloud is not listening');
    const { address: host, port }: AddressInfo = address;
    return `${host}:${port}`;
  }

  get calls(): readonly Call[] {
    return this.log;
  }

  /** How many calls were open at the same time, at most. */
  get mostAtOnce(): number {
    return this.most;
  }

  /** Calls by action. */
  count(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { action } of this.log) counts.set(action, (counts.get(action) ?? 0) + 1);
    return counts;
  }

  forget(): void {
    this.log.length = 0;
    this.most = 0;
  }

  /** Puts another world in place: what changed between two looks. */
  serveWorld(world: WireWorld): void {
    this.world = world;
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    response.once('close', () => (this.running -= 1));
    const request = await readRequest(incoming);
    this.requests.push(request);
    if (this.requests.length > MAX_REQUESTS) this.requests.shift();
    const url = new URL(request.url, 'http://fake');
    if (url.pathname.startsWith('/latest/')) {
      if (await this.hitByFault(response, 'metadata', { requestId: '', body: {} })) return;
      serveMetadata(request, response, this.keys);
      this.record('metadata', response.statusCode, undefined);
      return;
    }
    const version = request.headers['x-acs-version'] ?? url.searchParams.get('Version') ?? '';
    const action = request.headers['x-acs-action'] ?? url.searchParams.get('Action') ?? '';
    await this.answerRpc(request, response, url, version, action);
  }

  private async answerRpc(
    request: WireRequest,
    response: ServerResponse,
    url: URL,
    version: string,
    action: string,
  ): Promise<void> {
    const requestId = randomUUID().toUpperCase();
    const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const params = Params.of(url.searchParams, new URLSearchParams(form ? request.body.toString() : ''));
    const regionId = params.get('RegionId');
    try {
      const result = this.perform(request, version, action, params);
      const body = { RequestId: requestId, ...result };
      const token = request.headers['x-acs-security-token'];
      if (await this.hitByFault(response, version === STS_VERSION ? 'sts' : action, { requestId, body, token })) return;
      this.record(action, 200, regionId);
      sendJson(response, 200, JSON.stringify(body));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.record(action, error.status, regionId);
      const { code, message, details } = error;
      const body = {
        RequestId: requestId,
        HostId: 'fake.aliyuncs.com',
        Code: code,
        Message: message,
        Recommend: '',
        ...details,
      };
      sendJson(response, error.status, JSON.stringify(body));
    }
  }

  private perform(request: WireRequest, version: string, action: string, params: Params): object {
    if (version === STS_VERSION) return assumeRoleWithOidc(action, params, this.keys);
    this.authenticator.authenticate(request, action);
    const handler = findHandler(version, action);
    if (handler === undefined) {
      throw new Refusal(404, 'InvalidAction.NotFound', `Specified api is not found: ${action} of ${version}.`);
    }
    if (params.get('RegionId') !== this.world.region) {
      throw new Refusal(404, 'InvalidRegionId.NotFound', 'The specified RegionId does not exist.');
    }
    return handler(params, this.world, this.options.smallPage ?? 1000);
  }

  private async hitByFault(response: ServerResponse, action: string, answer: Answer): Promise<boolean> {
    const fault = this.faults.next(action);
    if (fault === undefined) return false;
    this.record(action, 'fault', undefined);
    await sendFault(response, fault, answer);
    return true;
  }

  private record(action: string, status: Call['status'], regionId: string | undefined): void {
    const call = { action, at: this.now(), status, regionId };
    this.log.push(call);
    this.options.onCall?.(call);
  }
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return { method: incoming.method ?? '', url: incoming.url ?? '/', headers, body: Buffer.concat(chunks) };
}
