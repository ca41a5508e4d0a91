import { formatSocket, parseIp, type Ip } from '#libs/model';
import {
  ConntrackTable,
  receive,
  receiveLoopback,
  SCTP,
  send,
  SYN,
  TCP,
  UDP,
  type Chooser,
  type NamespaceRun,
  type NetNamespace,
  type Obstacle,
  type Outcome,
  type Skb,
} from '#libs/netstack';
import { explore } from '../../libs/engine/src/explore.js';
import { SOURCES, type Frontend, type Origin } from './expected-branches.js';

/** What becomes of the first packet on the recorded node, over all dice. */
export interface Walked {
  /** Probability by `ip:port` after DNAT, or by what stopped the packet. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Facts that the walk had to guess. A complete dump read completely leaves none. */
  readonly guesses: readonly string[];
}

const PROTOCOLS = { TCP, UDP, SCTP } as const;

export function walkFrontend(ns: NetNamespace, frontend: Frontend, origin: Origin): Walked {
  const { leaves, rest } = explore((chooser) => walkOnce(ns, frontend, origin, chooser), 256);
  if (rest > 0) throw new Error(`${frontend.service}: more than 256 branches`);
  const outcomes = new Map<string, number>();
  for (const { value, probability } of leaves) outcomes.set(value, (outcomes.get(value) ?? 0) + probability);
  const guesses = leaves.flatMap(({ decisions }) =>
    decisions.filter(({ kind }) => kind === 'guess').map(({ key }) => key),
  );
  return { outcomes, guesses: [...new Set(guesses)] };
}

function walkOnce(ns: NetNamespace, frontend: Frontend, origin: Origin, chooser: Chooser): string {
  const obstacles: Obstacle[] = [];
  const run = {
    ns,
    chooser,
    conntrack: new ConntrackTable(),
    recorder: { step: () => undefined, obstacle: (obstacle: Obstacle) => void obstacles.push(obstacle) },
  };
  const skb = firstPacket(frontend, origin);
  const outcome = origin === 'node' ? sendFromNode(run, skb) : receive(run, origin === 'pod' ? 'cni0' : 'eth0', skb);
  const [obstacle] = obstacles;
  if (obstacle !== undefined) return obstacle.disposition;
  return formatSocket(outcome.skb.dst, outcome.skb.dport);
}

/** What the node sends to itself comes in again by lo, where INPUT is asked. */
function sendFromNode(run: NamespaceRun, skb: Skb): Outcome {
  const outcome = send(run, skb);
  return outcome.kind === 'transmit' && outcome.dev === 'lo' ? receiveLoopback(run, outcome.skb) : outcome;
}

function firstPacket({ ip, port, protocol }: Frontend, origin: Origin): Skb {
  return {
    family: 4,
    src: address(SOURCES[origin]),
    dst: address(ip),
    protocol: PROTOCOLS[protocol],
    sport: 45678,
    dport: port,
    tcpFlags: protocol === 'TCP' ? SYN : 0,
    ttl: 64,
    mark: 0,
    length: 60,
  };
}

function address(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`"${text}" is no address`);
  return ip;
}
