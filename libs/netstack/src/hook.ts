import type { Evidence, Ip, Step } from '#libs/model';
import type { Chooser } from './chooser.js';
import type { NetNamespace } from './namespace.js';
import type { ConntrackTable } from './netfilter/conntrack.js';
import { runHook, type HookResult, type HookRun } from './netfilter/hooks.js';
import type { Hook } from './netfilter/ruleset.js';
import type { FilterStop, HookObserver } from './netfilter/traverse.js';
import type { Answer, NamespaceRun, Obstacle } from './outcome.js';
import { icmpError, type IcmpError } from './icmp-error.js';
import { reverseCause } from './routing/source-check.js';
import { TCP, type Skb } from './skb.js';

export const SILENCE: Answer = { kind: 'silence' };

/** The walk cannot go on without a fact that was not collected: whatever it would find, the answer is not known. */
export function unknowable(run: NamespaceRun, skb: Skb, what: string): Obstacle {
  const evidence: Evidence = { kind: 'file', at: run.ns.place, locator: run.ns.id, text: what };
  return {
    facts: { code: 'NETNS_NOT_COLLECTED', subject: run.ns.place, evidence: [evidence] },
    disposition: 'insufficient-info',
    answer: SILENCE,
    unknowable: true,
    skb,
  };
}

interface HookPlace {
  /** Only what is registered before this priority. */
  readonly before?: number;
  /** The gateway of the route; undefined: on link. */
  readonly nextHop?: Ip;
}

const ANYWHERE: HookPlace = {};

/** All tables of a hook; what stops there becomes an obstacle. Also used by the bridge, for br_netfilter. */
export function hook(
  run: NamespaceRun,
  name: Hook,
  skb: Skb,
  iif: string,
  oif: string,
  place: HookPlace = ANYWHERE,
): HookResult {
  return runHook(new HookVisit(run, name, skb, iif, oif, place));
}

/** One object for the rules to ask and to tell: a bulk makes millions of them. */
class HookVisit implements HookRun, HookObserver {
  readonly ns: NetNamespace;
  readonly conntrack: ConntrackTable;
  readonly chooser: Chooser;
  readonly before: number | undefined;
  readonly nextHop: Ip | undefined;
  readonly records: boolean;
  readonly observer = this;

  constructor(
    private readonly run: NamespaceRun,
    readonly hook: Hook,
    readonly skb: Skb,
    readonly iif: string,
    readonly oif: string,
    place: HookPlace,
  ) {
    this.ns = run.ns;
    this.conntrack = run.conntrack;
    this.chooser = run.chooser;
    this.before = place.before;
    this.nextHop = place.nextHop;
    this.records = run.recorder.quiet !== true;
  }

  step(step: Step): void {
    this.run.recorder.step(step);
  }

  stopped(stop: FilterStop): void {
    this.run.recorder.obstacle(filterObstacle(this.run, this.hook, this.skb, this.iif, stop));
  }
}

const CHECKS_WAY_BACK = /-m rpfilter\b|\bfib saddr\b.*\bo(?:if|ifname)\b/;

function filterObstacle(
  run: NamespaceRun,
  name: Hook,
  skb: Skb,
  iif: string,
  { cause, verdict, rejectWith, evidence }: FilterStop,
): Obstacle {
  if (cause === 'unknown') return unknowable(run, skb, evidence.text);
  const codes = {
    rule: verdict === 'drop' ? 'FILTER_DROP' : 'FILTER_REJECT',
    policy: 'CHAIN_POLICY_DROP',
    invalid: 'CONNTRACK_INVALID_DROP',
    full: 'CONNTRACK_FULL',
  } as const;
  const why = CHECKS_WAY_BACK.test(evidence.text)
    ? reverseCause(run.ns, skb, /--validmark|\bmark\b/.test(evidence.text), run.chooser)
    : undefined;
  const command = evidence.kind === 'rule' ? deleteCommand(evidence, skb.family) : evidence.locator;
  return {
    facts: { code: codes[cause], subject: run.ns.place, evidence: [evidence], details: { command } },
    ...(why === undefined ? {} : { cause: why }),
    disposition: cause === 'full' ? 'dropped' : verdict === 'reject' ? 'rejected' : 'denied',
    answer:
      verdict === 'drop' ? dropAnswer(name, skb, iif) : rejectAnswer(name, skb, rejectWith ?? 'icmp-port-unreachable'),
    skb,
  };
}

/** A drop on the way out of the sending host fails the send() of a datagram with EPERM; a TCP SYN is sent again and again. */
function dropAnswer(name: Hook, skb: Skb, iif: string): Answer {
  const own = name === 'OUTPUT' || (name === 'POSTROUTING' && iif === '' && skb.physOut === undefined);
  return own && skb.protocol !== TCP ? { kind: 'errno', errno: 'EPERM' } : SILENCE;
}

/** Types of iptables-extensions(8) REJECT. */
const REJECTS: ReadonlyMap<string, readonly [number, number]> = new Map(
  Object.entries<readonly [number, number]>({
    'icmp-net-unreachable': [3, 0],
    'icmp-host-unreachable': [3, 1],
    'icmp-proto-unreachable': [3, 2],
    'icmp-port-unreachable': [3, 3],
    'icmp-net-prohibited': [3, 9],
    'icmp-host-prohibited': [3, 10],
    'icmp-admin-prohibited': [3, 13],
    'icmp6-no-route': [1, 0],
    'icmp6-adm-prohibited': [1, 1],
    'icmp6-addr-unreachable': [1, 3],
    'icmp6-port-unreachable': [1, 4],
  }),
);

/** What nft's `reject with icmpx` says in both families (nft_reject_icmp_code(), nft_reject_icmpv6_code()). */
const EITHER_FAMILY: ReadonlyMap<string, IcmpError> = new Map<string, IcmpError>([
  ['icmpx-no-route', 'no-route'],
  ['icmpx-port-unreachable', 'port-unreachable'],
  ['icmpx-host-unreachable', 'host-unreachable'],
  ['icmpx-admin-prohibited', 'prohibited'],
]);

/** To the sending host itself a rejected datagram is first of all a send() that fails. */
function rejectAnswer(hookName: Hook, skb: Skb, name: string): Answer {
  if (hookName === 'OUTPUT' && skb.protocol !== TCP) return { kind: 'errno', errno: 'EPERM' };
  if (name === 'tcp-reset') return { kind: 'reset' };
  const either = EITHER_FAMILY.get(name);
  if (either !== undefined) return icmpError(skb.family, either);
  const [type, code] = REJECTS.get(name) ?? [3, 3];
  return { kind: 'icmp', type, code };
}

/** The command that removes the rule: of iptables by its text, of nft by its handle (locator `family table/chain/handle`). */
export function deleteCommand({ locator, text }: Evidence, family: Skb['family']): string {
  const [table = 'filter', chain = '', handle = ''] = locator.split('/');
  if (!text.startsWith('-A ')) return `nft delete rule ${table} ${chain} handle ${handle}`;
  return `${family === 4 ? 'iptables' : 'ip6tables'} -t ${table} ${text.replace(/^-A /, '-D ')}`;
}
