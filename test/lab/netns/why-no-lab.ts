import { existsSync } from 'node:fs';
import { runCommand } from '#libs/collector';

const TOOLS = [
  ['ip', '-V'],
  ['bridge', '-V'],
  ['sysctl', '--version'],
  ['iptables-nft', '--version'],
  ['ss', '-V'],
];

/** Why this machine cannot run the lab; undefined when it can. */
export async function whyNoLab(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces';
  for (const argv of TOOLS) if ((await runCommand(argv)).status !== 0) return `\`${argv[0]}\` is not installed`;
  if (!existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables'))
    return 'net.bridge is absent: load br_netfilter (`modprobe br_netfilter`), as every Kubernetes node does';
  const probe = await runCommand(['ip', 'netns', 'list']);
  if (probe.status !== 0) return `network namespaces are not allowed here: ${probe.stderr.trim()}`;
  const made = await runCommand(['unshare', '--net', 'true']);
  return made.status === 0 ? undefined : `network namespaces are not allowed here: ${made.stderr.trim()}`;
}
