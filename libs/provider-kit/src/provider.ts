import type { ConfigSection } from '#libs/config';
import type { Snapshot } from '#libs/model';
import type { Network } from './network.js';

/** Answers one question: which Network has this cluster? */
export interface Provider<C = unknown> {
  /** The value of `--cloud-provider` and of a cluster's `provider`. */
  readonly name: string;
  readonly title: string;
  readonly config: ConfigSection<C>;
  createNetwork(context: ProviderContext<C>): Promise<Network>;
}

/** What a Network is made from. */
export interface ProviderContext<C = unknown> {
  readonly snapshot: Snapshot;
  /** Validated by the provider's own `config.schema`. */
  readonly settings: C;
  readonly overrides: ClusterOverrides;
}

/** What a user says about the cluster in place of what would be detected. */
export interface ClusterOverrides {
  readonly networkPlugin?: string;
  readonly proxyMode?: string;
  /** Pod networks, as prefixes. */
  readonly clusterCidr?: readonly string[];
}

/** Providers by name. A provider in tree is one folder and one line where the registry is made. */
export class ProviderRegistry {
  private readonly providers = new Map<string, Provider>();

  constructor(providers: readonly Provider[]) {
    for (const provider of providers) {
      if (this.providers.has(provider.name)) throw new Error(`two providers are named ${provider.name}`);
      this.providers.set(provider.name, provider);
    }
  }

  get(name: string): Provider | undefined {
    return this.providers.get(name);
  }

  list(): readonly Provider[] {
    return [...this.providers.values()];
  }
}
