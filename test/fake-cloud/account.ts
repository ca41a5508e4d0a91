import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';

/** Who may call, and with which keys. */
export const Account = z.strictObject({
  id: z.string().default('1234567890123456'),
  keys: z
    .array(
      z.strictObject({
        id: z.string(),
        secret: z.string(),
        active: z.boolean().default(true),
        /** Actions that RAM denies to this key, or `*`. */
        denied: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  sessions: z
    .array(
      z.strictObject({
        id: z.string(),
        secret: z.string(),
        token: z.string(),
        /** Milliseconds since the epoch. */
        expiresAt: z.number(),
        denied: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  roles: z
    .array(
      z.strictObject({
        arn: z.string(),
        /** The role of an instance, by this name in its metadata. */
        instanceRole: z.string().optional(),
        /** Tokens of the identity provider that may take the role. */
        oidc: z.strictObject({ providerArn: z.string(), tokens: z.array(z.string()) }).optional(),
        denied: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
export type Account = z.infer<typeof Account>;

export interface Identity {
  readonly secret: string;
  readonly active: boolean;
  readonly denied: readonly string[];
  readonly session?: { readonly token: string; readonly expiresAt: number };
}

export interface StsSession {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
  readonly expiresAt: number;
}

/** The keys that exist now: those of the account, and the sessions that STS and the metadata service gave out. */
export class Keys {
  private readonly byId = new Map<string, Identity>();

  constructor(
    private readonly account: Account,
    private readonly now: () => number,
  ) {
    for (const { id, ...key } of account.keys) this.byId.set(id, key);
    for (const { id, token, expiresAt, secret, denied } of account.sessions) {
      this.byId.set(id, { secret, denied, active: true, session: { token, expiresAt } });
    }
  }

  find(id: string): Identity | undefined {
    return this.byId.get(id);
  }

  get roles(): Account['roles'] {
    return this.account.roles;
  }

  /** A session of a role, as AssumeRole* and the metadata service give it. */
  openSession(role: Account['roles'][number], durationSeconds: number): StsSession {
    const session = {
      id: `STS.${randomUUID().replaceAll('-', '')}`,
      secret: randomBytes(24).toString('base64url'),
      token: randomBytes(96).toString('base64'),
      expiresAt: this.now() + durationSeconds * 1000,
    };
    this.byId.set(session.id, {
      secret: session.secret,
      active: true,
      denied: role.denied,
      session: { token: session.token, expiresAt: session.expiresAt },
    });
    return session;
  }

  /** Ends every session that is open: what a user sees when a role is taken away. */
  expireSessions(): void {
    for (const [id, key] of this.byId) {
      if (key.session !== undefined) this.byId.set(id, { ...key, session: { ...key.session, expiresAt: 0 } });
    }
  }
}
