import { parseIp, type Ip } from '#libs/model';
import { DumpError } from './dump-file.js';

/** A listening TCP or unconnected UDP socket. */
export interface Socket {
  readonly protocol: 'tcp' | 'udp';
  /** undefined: any address. */
  readonly ip?: Ip;
  /** Which families reach it: `*` is a dual-stack socket. */
  readonly families: readonly (4 | 6)[];
  readonly port: number;
  readonly dev?: string;
  readonly queue: { readonly length: number; readonly limit: number };
  readonly text: string;
}

/** Lines of `ss -lntuH`: Netid State Recv-Q Send-Q Local:Port Peer:Port. */
export function parseSockets(text: string): Socket[] {
  const sockets: Socket[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [netid, state, recv, send, local] = line.trim().split(/\s+/);
    if (netid === 'Netid') continue;
    if (local === undefined || state === undefined)
      throw new DumpError(`ss-listen.txt:${index + 1}`, 'not a line of ss -lntuH');
    if (netid !== 'tcp' && netid !== 'udp') continue;
    const address = parseLocal(local);
    if (address === undefined)
      throw new DumpError(`ss-listen.txt:${index + 1}`, `"${local.slice(0, 60)}" is not an address and port`);
    sockets.push({
      protocol: netid,
      ...address,
      queue: { length: Number(recv), limit: Number(send) },
      text: line.trim().replace(/\s+/g, ' '),
    });
  }
  return sockets;
}

function parseLocal(local: string): Pick<Socket, 'ip' | 'families' | 'port' | 'dev'> | undefined {
  const colon = local.lastIndexOf(':');
  const port = Number(local.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port)) return undefined;
  const host = local.slice(0, colon);
  const percent = host.indexOf('%');
  const dev = percent < 0 ? undefined : host.slice(percent + 1).replace(/\]$/, '');
  const bare = (percent < 0 ? host : host.slice(0, percent)).replace(/^\[|\]$/g, '');
  if (bare === '*') return { families: [4, 6], port, dev };
  if (bare === '0.0.0.0') return { families: [4], port, dev };
  if (bare === '::') return { families: [6], port, dev };
  const ip = parseIp(bare.replace(/^::ffff:(?=\d+\.)/, ''));
  return ip === undefined ? undefined : { ip, families: [typeof ip === 'number' ? 4 : 6], port, dev };
}
