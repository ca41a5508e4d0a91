import type { KubernetesObject } from '#libs/model';
import type { AliyunProcess, AliyunSettings } from './aliyun-settings.js';
import type { Clock } from './clock.js';
import { CloudLooker } from './look.js';
import { cloudSnapshot } from './neutral/cloud-snapshot.js';
import type { CloudSnapshot } from './neutral/model/index.js';
import { SharedLooks } from './shared-look.js';

export interface FetchRequest {
  /** Names the snapshot that the facts are for: who asks for the same one at the same time shares a look. */
  readonly snapshot: string;
  readonly objects: readonly KubernetesObject[];
  /** Of the cluster, with its secrets. */
  readonly settings: AliyunSettings;
  readonly signal?: AbortSignal;
}

/** Fetches what is around clusters in Alibaba Cloud. One for a process: accounts share their limits. */
export class AliyunInventory {
  private readonly looker: CloudLooker;
  private readonly looks = new SharedLooks<CloudSnapshot>();

  constructor(
    process: AliyunProcess,
    private readonly wallClock: () => Date,
    clock?: Clock,
  ) {
    this.looker = new CloudLooker(process, clock);
  }

  /** Everything that evaluation needs, as data; what could not be looked up stands in `unavailable`. */
  fetch({ snapshot, objects, settings, signal }: FetchRequest): Promise<CloudSnapshot> {
    const look = async (shared: AbortSignal): Promise<CloudSnapshot> => {
      const takenAt = this.wallClock().toISOString();
      return cloudSnapshot(await this.looker.look({ objects, settings, signal: shared }), takenAt);
    };
    return this.looks.join(snapshot, look, signal);
  }
}
