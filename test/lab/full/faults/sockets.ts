import type { Socket } from '../../cluster/spec.js';
import { faultsOf, step, type Fault } from '../fault.js';
import { scriptPath } from '../../traffic/script-path.js';

const HTTP: Socket = { protocol: 'tcp', port: 8080 };
const DNS: Socket = { protocol: 'udp', port: 5353 };

function webListens(name: string, description: string, ...sockets: readonly Socket[]): Fault {
  return { name, layer: 'socket', description, listens: (t) => ({ [t.at('web-1')]: sockets }) };
}

/** A listener that Node cannot make; stays until its namespace is removed. */
function oddListener(kind: 'device' | 'backlog', argument: string): string {
  return `perl ${scriptPath('odd-listener.pl')} ${kind} 8080 ${argument}`;
}

export const SOCKET_FAULTS: readonly Fault[] = [
  webListens('nobody-listens', 'nobody listens in web-1'),
  webListens('tcp-not-listening', 'nobody listens on TCP in web-1', DNS),
  webListens('wrong-port', 'web-1 listens on other ports', { ...HTTP, port: 8090 }, { ...DNS, port: 5354 }),
  webListens(
    'loopback-only',
    'web-1 listens on its loopback only',
    { ...HTTP, host: '127.0.0.1' },
    { ...DNS, host: '127.0.0.1' },
  ),
  webListens(
    'v6-only',
    'web-1 listens for IPv6 only',
    { ...HTTP, host: '::', ipv6Only: true },
    { ...DNS, host: '::', ipv6Only: true },
  ),
  webListens(
    'dual-stack',
    'web-1 listens by IPv6 sockets that take IPv4',
    { ...HTTP, host: '::' },
    { ...DNS, host: '::' },
  ),
  webListens('v6-loopback', 'web-1 listens on ::1', { ...HTTP, host: '::1' }, { ...DNS, host: '::1' }),
  {
    name: 'bound-to-its-address',
    layer: 'socket',
    description: 'web-1 listens on its very address',
    listens: (t) => ({
      [t.at('web-1')]: [
        { ...HTTP, host: t.ip('web-1') },
        { ...DNS, host: t.ip('web-1') },
      ],
    }),
  },
  {
    name: 'node-not-listening',
    layer: 'socket',
    description: 'nothing listens on node2 and node3',
    listens: () => ({ node2: [], node3: [] }),
  },
  ...faultsOf('socket', [
    [
      'bound-to-loopback-device',
      "web-1's listener is bound to lo",
      {
        listens: (t) => ({ [t.at('web-1')]: [DNS] }),
        steps: (t) => [step(t.at('web-1'), oddListener('device', 'lo'))],
      },
    ],
    [
      'bound-to-eth0',
      "web-1's listener is bound to eth0",
      {
        listens: (t) => ({ [t.at('web-1')]: [DNS] }),
        steps: (t) => [step(t.at('web-1'), oddListener('device', 'eth0'))],
      },
    ],
    [
      'backlog-full',
      "web-1's listener does not accept and its queue is full",
      {
        listens: (t) => ({ [t.at('web-1')]: [DNS] }),
        steps: (t) => [step(t.at('web-1'), oddListener('backlog', '0'))],
      },
    ],
  ]),
];
