import type { KubernetesObject } from '#libs/model';
import type { CloudSnapshot } from '#libs/provider-kit';
import type { AliyunProcess, AliyunSettings } from './aliyun-settings.js';
import { CloudLooker } from './look.js';
import { cloudSnapshot } from './neutral/cloud-snapshot.js';

/** What a look is made for; the shape is provider-kit's CloudRequest. */
interface FetchRequest {
  readonly settings: AliyunSettings;
  readonly objects: readonly KubernetesObject[];
  readonly signal: AbortSignal;
  readonly takenAt: string;
}

/**
 * The inventory of Alibaba Cloud. One for a process: clusters of one account share its limits. Loads the SDK with the first fetch. Keeps
 * nothing of what it finds: who calls stores it, once for each snapshot.
 */
export function aliyunInventory(process: AliyunProcess): { fetch(request: FetchRequest): Promise<CloudSnapshot> } {
  const looker = new CloudLooker(process);
  return {
    fetch: async ({ takenAt, ...request }) => cloudSnapshot(await looker.look(request), takenAt),
  };
}
