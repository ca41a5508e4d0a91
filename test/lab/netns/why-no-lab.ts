import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const TOOLS = [
  ['ip', '-V'],
  ['nsenter', '--version'],
  ['bridge', '-V'],
  ['sysctl', '--version'],
  ['iptables-nft', '--version'],
  ['ss', '-V'],
] as const;

const UNSHARE = 'unshare';

/** Why this machine cannot run the lab; undefined when it can. */
export function whyNoLab(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces';
  const missing = TOOLS.filter(([program, flag]) => spawnSync(program, [flag]).status !== 0);
  if (missing.length > 0)
    return `not installed: ${missing.map(([program]) => program).join(', ')} (Debian: iproute2, procps, iptables)`;
  const made = spawnSync(UNSHARE, ['--net', 'true'], { encoding: 'utf8' });
  if (made.status !== 0)
    return `network namespaces are not allowed here: ${made.stderr?.trim() ?? made.error?.message}`;
  if (!existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables'))
    return 'net.bridge is absent: load br_netfilter (`modprobe br_netfilter`), as every Kubernetes node does';
  return undefined;
}
