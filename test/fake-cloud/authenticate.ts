import type { Identity, Keys } from './account.js';
import { Refusal } from './refusal.js';
import { isBodyHashRight, isSignedWith, parseAuthorization, unsignedHeaders, type WireRequest } from './signature.js';

/** Both ways; the documentation of the V3 signature says 15 minutes. */
const MAX_SKEW_MS = 15 * 60 * 1000;

/** Checks who sent a request, in the order in which the gateway of the cloud complains. */
export class Authenticator {
  private readonly nonces = new Map<string, number>();

  constructor(
    private readonly keys: Keys,
    private readonly now: () => number,
  ) {}

  /** Answers whose request it is, or throws a Refusal. */
  authenticate(request: WireRequest, action: string): Identity {
    const authorization = parseAuthorization(request.headers['authorization']);
    if (authorization === undefined) {
      throw new Refusal(400, 'MissingAuthorization', 'The authorization header is missing or not of ACS3-HMAC-SHA256.');
    }
    this.checkTime(request.headers['x-acs-date']);
    const key = this.keys.find(authorization.accessKeyId);
    if (key === undefined) {
      throw new Refusal(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
    }
    if (!key.active) throw new Refusal(403, 'InvalidAccessKeyId.Inactive', 'Specified access key is disabled.');
    this.checkSession(key, request);
    const unsigned = unsignedHeaders(request, authorization);
    if (unsigned.length > 0 || !isBodyHashRight(request) || !isSignedWith(key.secret, request, authorization)) {
      throw new Refusal(400, 'SignatureDoesNotMatch', 'Specified signature is not matched with our calculation.');
    }
    this.useNonce(request.headers['x-acs-signature-nonce']);
    if (key.denied.includes(action) || key.denied.includes('*')) {
      throw new Refusal(
        403,
        'Forbidden.RAM',
        'User not authorized to operate on the specified resource, or this API doesn’t support RAM.',
        {
          AccessDeniedDetail: {
            AuthAction: action,
            AuthPrincipalType: 'SubUser',
            NoPermissionType: 'ImplicitDeny',
            PolicyType: 'AccountLevelIdentityBasedPolicy',
          },
        },
      );
    }
    return key;
  }

  private checkTime(date: string | undefined): void {
    const sent = Date.parse(date ?? '');
    if (Number.isNaN(sent)) throw new Refusal(400, 'MissingParameter', 'The header x-acs-date is missing.');
    if (Math.abs(sent - this.now()) > MAX_SKEW_MS) {
      throw new Refusal(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.');
    }
  }

  private checkSession(key: Identity, request: WireRequest): void {
    const token = request.headers['x-acs-security-token'];
    if (key.session === undefined) {
      if (token === undefined) return;
      throw new Refusal(403, 'InvalidSecurityToken.MismatchWithAccessKey', 'The token does not belong to the key.');
    }
    if (token === undefined) throw new Refusal(400, 'MissingSecurityToken', 'SecurityToken is mandatory for this key.');
    if (token !== key.session.token) {
      throw new Refusal(403, 'InvalidSecurityToken.Malformed', 'Specified SecurityToken is malformed.');
    }
    if (key.session.expiresAt <= this.now()) {
      throw new Refusal(403, 'InvalidSecurityToken.Expired', 'Specified SecurityToken is expired.');
    }
  }

  private useNonce(nonce: string | undefined): void {
    if (nonce === undefined) throw new Refusal(400, 'MissingParameter', 'The header x-acs-signature-nonce is missing.');
    const now = this.now();
    for (const [used, at] of this.nonces) {
      if (now - at <= 2 * MAX_SKEW_MS) break;
      this.nonces.delete(used);
    }
    if (this.nonces.has(nonce)) {
      throw new Refusal(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.');
    }
    this.nonces.set(nonce, now);
  }
}
