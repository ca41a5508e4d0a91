import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** An HTTP request as it came over the wire. Header names are in lower case, as Node gives them. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface Authorization {
  readonly accessKeyId: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ALGORITHM = 'ACS3-HMAC-SHA256';

/** Reads `ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=a;b,Signature=hex`; undefined when it is not of that form. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const match = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
    header ?? '',
  );
  const [, accessKeyId, signedHeaders, signature] = match ?? [];
  if (accessKeyId === undefined || signedHeaders === undefined || signature === undefined) return undefined;
  return { accessKeyId, signedHeaders: signedHeaders.split(';'), signature };
}

/**
 * The headers that have to be signed: host, content-type and every x-acs-*. A request that leaves one out could be changed on its way.
 * Source: "V3 request structure and signature" of the Alibaba Cloud SDK documentation.
 */
export function unsignedHeaders(request: WireRequest, authorization: Authorization): readonly string[] {
  return Object.keys(request.headers).filter(
    (name) =>
      (name === 'host' || name === 'content-type' || name.startsWith('x-acs-')) &&
      !authorization.signedHeaders.includes(name),
  );
}

/** True when x-acs-content-sha256 is the hash of the body that came. */
export function isBodyHashRight(request: WireRequest): boolean {
  return request.headers['x-acs-content-sha256'] === sha256(request.body);
}

/** True when the request was signed with this secret. Written from the documentation, not from the SDK: it is the SDK's judge. */
export function isSignedWith(secret: string, request: WireRequest, authorization: Authorization): boolean {
  const expected = createHmac('sha256', secret).update(stringToSign(request, authorization.signedHeaders)).digest();
  return timingSafeEqual(expected, Buffer.from(authorization.signature, 'hex'));
}

function stringToSign(request: WireRequest, signedHeaders: readonly string[]): string {
  const at = request.url.indexOf('?');
  const path = at < 0 ? request.url : request.url.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
  const canonicalQuery = [...query]
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const canonicalHeaders = signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim()}\n`).join('');
  const canonicalRequest = [
    request.method,
    path,
    canonicalQuery,
    canonicalHeaders,
    signedHeaders.join(';'),
    request.headers['x-acs-content-sha256'] ?? '',
  ].join('\n');
  return `${ALGORITHM}\n${sha256(Buffer.from(canonicalRequest))}`;
}

/** RFC 3986: everything but unreserved characters; encodeURIComponent leaves !'()* as they are. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
