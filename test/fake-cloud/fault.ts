import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';

/** What goes wrong with calls. The kinds that have a shape of their own on the wire, each as the clouds' gateways really show it. */
export const Fault = z.strictObject({
  /** The action, `sts`, `metadata`, or `*` for all. */
  action: z.string().default('*'),
  kind: z.enum([
    'throttled',
    'throttled-with-delay',
    'too-many-requests',
    'forbidden',
    'echo',
    'bad-signature',
    'server-error',
    'service-unavailable',
    'html',
    'empty',
    'redirect',
    'hang',
    'slow',
    'drip',
    'reset',
    'reset-in-body',
    'truncated',
    'malformed-json',
    'wrong-shape',
    'not-an-object',
  ]),
  /** So many calls pass before. */
  skip: z.int().min(0).default(0),
  /** So many calls are hit; all that follow when left out. */
  times: z.int().min(1).optional(),
  /** Of `slow`: milliseconds until the answer. */
  delayMs: z.int().min(0).default(300),
});
export type Fault = z.infer<typeof Fault>;

/** Decides which fault hits which call. */
export class Faults {
  private active: { fault: Fault; seen: number }[] = [];

  set(faults: readonly z.input<typeof Fault>[]): void {
    this.active = faults.map((fault) => ({ fault: Fault.parse(fault), seen: 0 }));
  }

  /** The fault that hits this call, if one does; counts the call. */
  next(action: string): Fault | undefined {
    for (const entry of this.active) {
      const { fault } = entry;
      if (fault.action !== '*' && fault.action !== action) continue;
      entry.seen += 1;
      const nth = entry.seen - fault.skip;
      if (nth >= 1 && nth <= (fault.times ?? Infinity)) return fault;
    }
    return undefined;
  }
}

/** The answers of the cloud that a fault comes in place of. */
export interface Answer {
  readonly requestId: string;
  readonly body: unknown;
  /** The session token that came with the request: what a talkative proxy may repeat. */
  readonly token?: string;
}

/** Sends what a fault makes of an answer. The response may stay open: the server ends those when it closes. */
export async function sendFault(response: ServerResponse, fault: Fault, answer: Answer): Promise<void> {
  const whole = JSON.stringify(answer.body);
  switch (fault.kind) {
    case 'throttled':
      return refuse(response, 400, 'Throttling.User', 'Request was denied due to user flow control.', answer);
    case 'throttled-with-delay':
      response.setHeader('x-acs-retry-after', '150');
      return refuse(response, 400, 'Throttling.Api', 'Request was denied due to api flow control.', answer);
    case 'too-many-requests':
      return refuse(response, 429, 'TooManyRequests', 'Too many requests.', answer);
    case 'forbidden':
      return refuse(
        response,
        403,
        'Forbidden.RAM',
        'User not authorized to operate on the specified resource.',
        answer,
      );
    case 'echo':
      return refuse(response, 403, 'NoPermission', `Not allowed for token ${answer.token ?? '(none)'}.`, answer);
    case 'bad-signature':
      return refuse(response, 400, 'SignatureDoesNotMatch', 'Specified signature is not matched.', answer);
    case 'server-error':
      return refuse(response, 500, 'InternalError', 'The request processing has failed.', answer);
    case 'service-unavailable':
      return refuse(response, 503, 'ServiceUnavailable', 'The request has failed due to a temporary failure.', answer);
    case 'html':
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<html><head><title>502 Bad Gateway</title></head><body>tengine</body></html>');
      return;
    case 'empty':
      response.writeHead(503, { 'content-length': '0' });
      response.end();
      return;
    case 'redirect':
      response.writeHead(302, { location: 'http://127.0.0.1:9/' });
      response.end();
      return;
    case 'hang':
      return;
    case 'slow':
      await sleep(fault.delayMs, undefined, { ref: false });
      sendJson(response, 200, whole);
      return;
    case 'drip':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(whole.length + 4000) });
      return drip(response, whole);
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'reset-in-body':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(whole.length) });
      response.write(whole.slice(0, Math.floor(whole.length / 2)), () => response.socket?.resetAndDestroy());
      return;
    case 'truncated':
      // Complete as HTTP, cut as JSON: what a proxy with a size limit makes of a long answer.
      sendJson(response, 200, whole.slice(0, Math.floor(whole.length / 2)));
      return;
    case 'malformed-json':
      sendJson(response, 200, `${whole.slice(0, -1)},}`);
      return;
    case 'wrong-shape':
      sendJson(response, 200, JSON.stringify(bent(answer.body)));
      return;
    case 'not-an-object':
      sendJson(response, 200, '[]');
      return;
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string, answer: Answer): void {
  const body = {
    RequestId: answer.requestId,
    HostId: 'fake.aliyuncs.com',
    Code: code,
    Message: message,
    Recommend: '',
  };
  sendJson(response, status, JSON.stringify(body));
}

export function sendJson(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' });
  response.end(text);
}

/** One byte at a time: no pause is long, the whole takes for ever. */
async function drip(response: ServerResponse, text: string): Promise<void> {
  for (let at = 0; !response.destroyed; at += 1) {
    response.write(text[at] ?? ' ');
    await sleep(50);
  }
}

/** Every list becomes a string: still JSON, no longer what the documentation promises. */
function bent(value: unknown): unknown {
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bent(inner)]));
}
