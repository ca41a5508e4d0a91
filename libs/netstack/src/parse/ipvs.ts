import { parseIp, type Ip } from '#libs/model';
import { SCTP, TCP, UDP } from '../skb.js';
import { DumpError } from './dump-file.js';

/** A virtual server of ipvs with its real servers, as `ipvsadm -Sn` prints them (ipvsadm(8)). */
export interface VirtualServer {
  readonly protocol?: number;
  readonly ip?: Ip;
  readonly port: number;
  readonly mark?: number;
  readonly persistent: boolean;
  readonly servers: RealServer[];
  readonly text: string;
}

export interface RealServer {
  readonly ip: Ip;
  readonly port: number;
  readonly weight: number;
  /** -m: masquerading (NAT), -g: direct routing, -i: tunnelling. */
  readonly method: 'masquerade' | 'gateway' | 'tunnel';
  readonly text: string;
}

const FLAGS: ReadonlyMap<string, number> = new Map(Object.entries({ '-t': TCP, '-u': UDP, '--sctp-service': SCTP }));

export function parseIpvs(text: string): VirtualServer[] {
  const services = new Map<string, VirtualServer>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '') continue;
    const words = line.split(/\s+/);
    const [verb, flag = '', address = ''] = words;
    const at = `ipvsadm-save.txt:${index + 1}`;
    if (verb === '-A') {
      const socket = flag === '-f' ? undefined : splitSocket(address);
      if (flag !== '-f' && socket === undefined)
        throw new DumpError(at, `"${address.slice(0, 60)}" is not an address and port`);
      const mark = flag === '-f' ? Number(address) : undefined;
      services.set(`${flag} ${address}`, {
        protocol: FLAGS.get(flag),
        ip: socket?.ip,
        port: socket?.port ?? 0,
        mark,
        persistent: words.includes('-p'),
        servers: [],
        text: line,
      });
    } else if (verb === '-a') {
      const service = services.get(`${flag} ${address}`);
      const server = splitSocket(words[words.indexOf('-r') + 1] ?? '');
      if (service === undefined)
        throw new DumpError(at, `virtual server ${address.slice(0, 60)} is not declared before`);
      if (server === undefined) throw new DumpError(at, 'a real server needs -r with an address and port');
      const weight = words.includes('-w') ? Number(words[words.indexOf('-w') + 1]) : 1;
      const method = words.includes('-g') ? 'gateway' : words.includes('-i') ? 'tunnel' : 'masquerade';
      service.servers.push({ ...server, weight, method, text: line });
    } else throw new DumpError(at, `"${line.slice(0, 60)}" is not a line of ipvsadm -Sn`);
  }
  return [...services.values()];
}

function splitSocket(text: string): { ip: Ip; port: number } | undefined {
  const colon = text.lastIndexOf(':');
  const ip = parseIp(text.slice(0, colon).replace(/^\[|\]$/g, ''));
  const port = Number(text.slice(colon + 1));
  return colon < 0 || ip === undefined || !Number.isInteger(port) ? undefined : { ip, port };
}
