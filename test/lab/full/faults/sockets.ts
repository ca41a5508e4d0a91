import type { Socket } from '../../cluster/spec.js';
import { cause } from '../cause.js';
import { faultsOf, step, type Fault } from '../fault.js';
import { scriptPath } from '../../traffic/script-path.js';

const HTTP: Socket = { protocol: 'tcp', port: 8080 };
const DNS: Socket = { protocol: 'udp', port: 5353 };

/** `code`: what is wrong with it; without one, nothing is. */
function webListens(code: string, name: string, description: string, ...sockets: readonly Socket[]): Fault {
  return {
    name,
    layer: 'socket',
    description,
    ...(code === '' ? { harmless: 'it takes both families' } : { causes: (t) => [cause(code, t.at('web-1'))] }),
    listens: (t) => ({ [t.at('web-1')]: sockets }),
  };
}

/** A listener that Node cannot make; stays until its namespace is removed. */
function oddListener(kind: 'device' | 'backlog', argument: string): string {
  return `perl ${scriptPath('odd-listener.pl')} ${kind} 8080 ${argument}`;
}

export const SOCKET_FAULTS: readonly Fault[] = [
  webListens('NO_LISTENER', 'nobody-listens', 'nobody listens in web-1'),
  webListens('NO_LISTENER', 'tcp-not-listening', 'nobody listens on TCP in web-1', DNS),
  webListens(
    'NO_LISTENER',
    'wrong-port',
    'web-1 listens on other ports',
    { ...HTTP, port: 8090 },
    { ...DNS, port: 5354 },
  ),
  webListens(
    'LISTENER_LOOPBACK_ONLY',
    'loopback-only',
    'web-1 listens on its loopback only',
    { ...HTTP, host: '127.0.0.1' },
    { ...DNS, host: '127.0.0.1' },
  ),
  webListens(
    'LISTENER_WRONG_FAMILY',
    'v6-only',
    'web-1 listens for IPv6 only',
    { ...HTTP, host: '::', ipv6Only: true },
    { ...DNS, host: '::', ipv6Only: true },
  ),
  webListens(
    '',
    'dual-stack',
    'web-1 listens by IPv6 sockets that take IPv4',
    { ...HTTP, host: '::' },
    { ...DNS, host: '::' },
  ),
  webListens(
    'LISTENER_LOOPBACK_ONLY LISTENER_WRONG_FAMILY',
    'v6-loopback',
    'web-1 listens on ::1',
    { ...HTTP, host: '::1' },
    { ...DNS, host: '::1' },
  ),
  {
    name: 'bound-to-its-address',
    layer: 'socket',
    description: 'web-1 listens on its very address',
    harmless: 'nobody asks it by another',
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
    causes: () => ['node2', 'node3'].map((node) => cause('NO_LISTENER', node)),
    listens: () => ({ node2: [], node3: [] }),
  },
  ...faultsOf('socket', [
    [
      'bound-to-loopback-device',
      "web-1's listener is bound to lo",
      {
        causes: (t) => [cause('LISTENER_BOUND_TO_DEVICE', t.at('web-1'), ':8080')],
        listens: (t) => ({ [t.at('web-1')]: [DNS] }),
        steps: (t) => [step(t.at('web-1'), oddListener('device', 'lo'))],
      },
    ],
    [
      'bound-to-eth0',
      "web-1's listener is bound to eth0",
      {
        harmless: 'it is the interface that requests come in by',
        listens: (t) => ({ [t.at('web-1')]: [DNS] }),
        steps: (t) => [step(t.at('web-1'), oddListener('device', 'eth0'))],
      },
    ],
    [
      'backlog-full',
      "web-1's listener does not accept and its queue is full",
      {
        causes: (t) => [cause('LISTENER_BACKLOG_FULL', t.at('web-1'), ':8080')],
        listens: (t) => ({ [t.at('web-1')]: [DNS] }),
        steps: (t) => [step(t.at('web-1'), oddListener('backlog', '0'))],
      },
    ],
  ]),
];
