import type { Keys, StsSession } from './account.js';
import type { Params } from './params.js';
import { Refusal } from './refusal.js';

export const STS_VERSION = '2015-04-01';

/** AssumeRoleWithOIDC: what RRSA of ACK uses. Not signed; the token of the identity provider is the proof. */
export function assumeRoleWithOidc(action: string, params: Params, keys: Keys): object {
  if (action !== 'AssumeRoleWithOIDC') {
    throw new Refusal(404, 'InvalidAction.NotFound', `Specified api is not found: ${action} of ${STS_VERSION}.`);
  }
  const role = keys.roles.find((candidate) => candidate.arn === params.need('RoleArn'));
  if (role === undefined) throw new Refusal(404, 'EntityNotExist.Role', 'The role does not exist.');
  if (role.oidc?.providerArn !== params.need('OIDCProviderArn')) {
    throw new Refusal(400, 'AuthenticationFail.OIDCProvider.NotExist', 'The OIDC provider does not exist.');
  }
  if (!role.oidc.tokens.includes(params.need('OIDCToken').trim())) {
    throw new Refusal(400, 'AuthenticationFail.OIDCToken.Invalid', 'The OIDC token is invalid.');
  }
  params.need('RoleSessionName');
  const session = keys.openSession(role, params.number('DurationSeconds') ?? 3600);
  return { Credentials: credentials(session), AssumedRoleUser: { Arn: role.arn } };
}

function credentials(session: StsSession): object {
  return {
    AccessKeyId: session.id,
    AccessKeySecret: session.secret,
    SecurityToken: session.token,
    Expiration: isoSeconds(session.expiresAt),
  };
}

/** `2026-11-25T07:00:00Z`: the cloud writes no fractions of seconds. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
