import type { NamespacePlan } from './cluster/plan.js';
import { must } from './netns/commands.js';
import { netnsName } from './netns/lab-namespaces.js';

/** Makes the namespaces of a plan. They must not be there yet. */
export async function buildCluster(plan: readonly NamespacePlan[]): Promise<void> {
  for (const { name } of plan) await must(['ip', 'netns', 'add', netnsName(name)]);
  await Promise.all(plan.map(setSysctls));
  // One after the other: numbers of interfaces are then the same in every run.
  for (const { name, ip } of plan) await must(['ip', '-n', netnsName(name), '-batch', '-'], ip.join('\n'));
  for (const { name, ipLater = [] } of plan)
    if (ipLater.length > 0) await must(['ip', '-n', netnsName(name), '-batch', '-'], ipLater.join('\n'));
  await Promise.all(
    plan.map(async ({ name, iptables }) => {
      if (iptables !== undefined)
        await must(['ip', 'netns', 'exec', netnsName(name), 'iptables-nft-restore'], iptables);
    }),
  );
}

async function setSysctls({ name, sysctls }: NamespacePlan): Promise<void> {
  const settings = Object.entries(sysctls).map(([key, value]) => `${key}=${value}`);
  await must(['ip', 'netns', 'exec', netnsName(name), 'sysctl', '-qw', ...settings]);
}
