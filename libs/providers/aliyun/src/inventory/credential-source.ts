/** Keys that sign a call. */
export interface SigningKeys {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

/** Where keys come from; asked before each call, since sessions end. */
export type KeyLoader = () => Promise<SigningKeys>;

/**
 * One look for keys at a time. The SDK's chain of credential providers is not made for parallel first calls (each caller but the first
 * is sent to the wrong provider), and after a failure it stays with its last provider: so callers share one look, and a failed chain
 * is made anew.
 */
export class CredentialSource {
  private loader: KeyLoader | undefined;
  private looking: Promise<SigningKeys> | undefined;
  private readonly seen = new Set<string>();

  constructor(private readonly makeLoader: () => Promise<KeyLoader>) {}

  get(): Promise<SigningKeys> {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** Forgets a session that the cloud no longer takes. */
  renew(): void {
    this.loader = undefined;
  }

  /** Everything that must not be in any output: secrets and tokens seen so far. */
  get secrets(): readonly string[] {
    return [...this.seen];
  }

  private async look(): Promise<SigningKeys> {
    try {
      this.loader ??= await this.makeLoader();
      const keys = await this.loader();
      this.seen.add(keys.accessKeySecret);
      if (keys.securityToken !== undefined) this.seen.add(keys.securityToken);
      return keys;
    } catch (error) {
      this.loader = undefined;
      throw error;
    }
  }
}
