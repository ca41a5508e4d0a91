import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export function isOnPath(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const LAB_COMMANDS = ['ip', 'bridge', 'nsenter', 'iptables', 'iptables-save', 'ipset', 'nft', 'ss'];

/** Why the lab (real network namespaces) cannot run here, or undefined when it can. */
export function whyNoLab() {
  if (process.platform !== 'linux') return 'it needs Linux network namespaces';
  if (process.getuid?.() !== 0) return 'it needs root to make network namespaces: sudo npm test';
  const missing = LAB_COMMANDS.filter((command) => !isOnPath(command));
  if (missing.length > 0)
    return `not on PATH: ${missing.join(', ')} (Debian: apt-get install iproute2 iptables ipset nftables util-linux)`;
  return undefined;
}

/** Parts of other suites that this machine cannot run; the suites themselves skip them. */
export function listMissingParts(root) {
  const parts = [];
  if (!isOnPath('redis-server'))
    parts.push('the queue on Redis: redis-server is not on PATH (Debian: apt-get install redis-server)');
  if (existsSync(join(root, 'apps', 'web')) && !isOnPath('chromium'))
    parts.push('the page in a browser: chromium is not on PATH (Debian: apt-get install chromium)');
  return parts;
}
