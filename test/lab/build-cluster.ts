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
  await Promise.all(plan.map(finish));
}

async function finish(plan: NamespacePlan): Promise<void> {
  const { name, bridge = [], sysctlsLater = {}, ipset, iptables, legacyIptables, nft } = plan;
  const inside = (argv: readonly string[], input = '') =>
    must(['nsenter', `--net=/run/netns/${netnsName(name)}`, ...argv], input);
  if (bridge.length > 0) await must(['bridge', '-n', netnsName(name), '-batch', '-'], bridge.join('\n'));
  await setSysctls({ name, sysctls: sysctlsLater });
  if (ipset !== undefined) await inside(['ipset', 'restore'], ipset);
  if (iptables !== undefined) await inside(['iptables-nft-restore'], iptables);
  if (legacyIptables !== undefined) await inside(['iptables-legacy-restore'], legacyIptables);
  if (nft !== undefined) await inside(['nft', '-f', '-'], nft);
}

async function setSysctls({
  name,
  sysctls,
  sysctlsIfThere = {},
}: Pick<NamespacePlan, 'name' | 'sysctls' | 'sysctlsIfThere'>): Promise<void> {
  const set = (settings: Readonly<Record<string, string | number>>, ...flags: readonly string[]) => {
    const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    const argv = ['nsenter', `--net=/run/netns/${netnsName(name)}`, 'sysctl', ...flags, ...words];
    return words.length > 0 ? must(argv) : undefined;
  };
  await set(sysctls, '-qw');
  await set(sysctlsIfThere, '-qew');
}
