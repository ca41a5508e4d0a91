/** How the keys of an account are come by. One of the ways that Alibaba Cloud's credentials package knows. */
export type CredentialSettings =
  | { readonly kind: 'keys'; readonly accessKeyId: string; readonly accessKeySecret: string }
  | {
      readonly kind: 'sts';
      readonly accessKeyId: string;
      readonly accessKeySecret: string;
      readonly securityToken: string;
    }
  /** The RAM role of the ECS instance that this process runs on; its name is asked when left out. */
  | { readonly kind: 'ecs-ram-role'; readonly roleName?: string }
  /** A role for a token of an identity provider: RRSA of ACK. */
  | {
      readonly kind: 'oidc';
      readonly roleArn: string;
      readonly oidcProviderArn: string;
      readonly oidcTokenFile: string;
    }
  /** Environment, RRSA, the CLI's profile, the credentials file, instance role: the first that has keys. */
  | { readonly kind: 'default' };

/** The account that calls are counted for, as well as it can be told: calls of one key or one role's account share their limits. */
export function accountOf(credentials: CredentialSettings): string {
  switch (credentials.kind) {
    case 'keys':
    case 'sts':
      return `key ${credentials.accessKeyId}`;
    case 'oidc':
      // acs:ram::1234567890123456:role/name
      return `account ${credentials.roleArn.split(':')[3] ?? credentials.roleArn}`;
    case 'ecs-ram-role':
      return 'instance role';
    case 'default':
      return 'default';
  }
}
