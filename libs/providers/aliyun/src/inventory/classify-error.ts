import { z } from 'zod';
import { CloudCallError, type CallFailure } from './cloud-call-error.js';

/** What the SDK's errors carry, as far as they do: a body that is no JSON comes as a bare SyntaxError. */
const Thrown = z.object({
  name: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  statusCode: z.number().optional().catch(undefined),
  requestId: z.string().optional().catch(undefined),
  retryAfter: z.number().optional().catch(undefined),
  data: z
    .object({ Message: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});
type Thrown = z.infer<typeof Thrown>;

/** Longer texts of the cloud are cut; they end up in answers that people read. */
const MAX_TEXT = 200;

/**
 * Says what an error of the SDK means, in words that carry no secret: the text of a connection error contains the whole URL, and that
 * of a credential error whole files, so texts are written here; only the cloud's own code, message and request id are passed on.
 * The codes: https://api.aliyun.com/document/Ecs/2014-05-26/errorCode and the common errors of the RPC gateway.
 */
export function classifyError(action: string, error: unknown): CloudCallError {
  if (error instanceof CloudCallError) return error;
  const parsed = Thrown.safeParse(error);
  const thrown: Thrown = parsed.success ? parsed.data : {};
  const { code, requestId, retryAfter } = thrown;
  const kind = kindOf(thrown);
  const said = thrown.data?.Message === undefined ? '' : `: ${cut(thrown.data.Message)}`;
  const text = fromCloud(thrown)
    ? `${action} was answered with ${cut(code ?? 'an error')}${said}`
    : `${action} ${WORDS[kind]}`;
  return new CloudCallError(kind, action, text, {
    ...(code === undefined || !isPlainCode(code) ? {} : { code }),
    ...(requestId === undefined || requestId === 'undefined' ? {} : { requestId: cut(requestId) }),
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
    ...(thrown.name === 'SyntaxError' ? { garbled: true } : {}),
  });
}

const WORDS: Readonly<Record<CallFailure, string>> = {
  auth: 'was not made: there are no credentials, or they could not be got',
  forbidden: 'was refused',
  throttled: 'was throttled',
  'not-found': 'found nothing',
  unavailable: 'failed: the connection could not be made or broke off',
  timeout: 'got no answer in time',
  malformed: 'got an answer that is not what the API documents',
  'bad-request': 'was not accepted',
};

const fromCloud = ({ statusCode, data }: Thrown): boolean => statusCode !== undefined && data !== undefined;

function kindOf(thrown: Thrown): CallFailure {
  const { code = '', name = '', message = '', statusCode } = thrown;
  if (statusCode !== undefined) return kindOfCode(code, statusCode);
  if (/Timeout/i.test(name) || code === 'ETIMEDOUT') return 'timeout';
  if (code === 'InvalidCredentials') return 'auth';
  // The SDK hides the status of an answer that is no JSON. A page is a gateway's; the rest may be cut short or empty.
  if (name === 'SyntaxError') return message.includes("token '<'") ? 'unavailable' : 'malformed';
  if (/^(E[A-Z_]+|UND_ERR.*|CERT_.*|.*_CERT_.*|.*_IN_CHAIN)$/.test(code)) return 'unavailable';
  return 'malformed';
}

function kindOfCode(code: string, status: number): CallFailure {
  if (/Throttling|TooManyRequests|FlowControl/i.test(code) || status === 429) return 'throttled';
  if (
    /^(SignatureDoesNotMatch|IncompleteSignature|InvalidAccessKeyId|InvalidSecurityToken|MissingSecurityToken|InvalidCredentials|SignatureNonceUsed|InvalidTimeStamp)/.test(
      code,
    )
  ) {
    return 'auth';
  }
  if (/^(Forbidden|NoPermission|Unauthorized|NotAuthorized)/i.test(code) || status === 401 || status === 403)
    return 'forbidden';
  if (/NotFound|NotExist/i.test(code) || status === 404) return 'not-found';
  if (status >= 500) return 'unavailable';
  return 'bad-request';
}

/** Codes go into data that others compare: only what looks like one. */
const isPlainCode = (code: string): boolean => /^[A-Za-z0-9_.-]{1,100}$/.test(code);

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 1)}…`;
}
