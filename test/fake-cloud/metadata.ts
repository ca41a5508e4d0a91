import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Keys } from './account.js';
import { sendJson } from './fault.js';
import type { WireRequest } from './signature.js';
import { isoSeconds } from './sts.js';

const BASE = '/latest/meta-data/ram/security-credentials/';
const tokens = new Set<string>();

/**
 * The instance metadata service (http://100.100.100.200/latest/...) as far as the role of an instance needs it: tokens (IMDSv2),
 * the name of the role, and a session of it. Only requests with a token are answered.
 */
export function serveMetadata(request: WireRequest, response: ServerResponse, keys: Keys): void {
  if (request.method === 'PUT' && request.url === '/latest/api/token') {
    const token = randomBytes(24).toString('base64url');
    tokens.add(token);
    response.end(token);
    return;
  }
  if (!tokens.has(request.headers['x-aliyun-ecs-metadata-token'] ?? '')) return notAllowed(response, 403);
  if (!request.url.startsWith(BASE)) return notAllowed(response, 404);
  const name = request.url.slice(BASE.length);
  const roles = keys.roles.filter((role) => role.instanceRole !== undefined);
  if (name === '') {
    response.end(roles.map((role) => role.instanceRole).join('\n'));
    return;
  }
  const role = roles.find((candidate) => candidate.instanceRole === name);
  if (role === undefined) return notAllowed(response, 404);
  const session = keys.openSession(role, 6 * 3600);
  const body = {
    AccessKeyId: session.id,
    AccessKeySecret: session.secret,
    SecurityToken: session.token,
    Expiration: isoSeconds(session.expiresAt),
    Code: 'Success',
  };
  sendJson(response, 200, JSON.stringify(body));
}

function notAllowed(response: ServerResponse, status: number): void {
  response.writeHead(status);
  response.end();
}
