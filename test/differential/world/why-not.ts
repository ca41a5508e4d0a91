import { spawnSync } from 'node:child_process';

/** All of them from packages that every Debian or Ubuntu has or a node of Kubernetes needs. */
const TOOLS = [
  ['ip', '-V'],
  ['sysctl', '--version'],
  ['nft', '--version'],
  ['iptables-nft', '--version'],
  ['iptables-legacy', '--version'],
  ['ipset', '--version'],
  ['taskset', '--version'],
  ['perl', '-MSocket', '-e', '1'],
] as const;

/** Why this machine cannot ask its kernel; undefined when it can. */
export function whyNoDifferential(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces';
  const missing = TOOLS.filter(([program, ...args]) => spawnSync(program, args).status !== 0).map(
    ([program]) => program,
  );
  if (missing.length > 0)
    return `not installed: ${missing.join(', ')} (Debian: iproute2, procps, nftables, iptables, ipset, util-linux, perl-base)`;
  const made = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8' });
  return made.status === 0
    ? undefined
    : `network namespaces are not allowed here: ${made.stderr?.trim() ?? 'unshare is missing'}`;
}
