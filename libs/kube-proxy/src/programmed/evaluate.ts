import { cidrContains, formatIp, type Ip } from '#libs/model';
import { entryKey } from './iptables.js';
import type { Action, ProxyPacket, ProxyRule, RuleSource, Test } from './rule.js';

/** Where a share of the packets ends. */
export interface Leaf {
  readonly kind: 'dnat' | 'drop' | 'reject' | 'accept' | 'masquerade';
  readonly ip?: Ip;
  readonly port?: number;
  readonly probability: number;
  /** The part of it that carries the mark for masquerade: 0, the whole probability, or (wrong rules only) something between. */
  readonly marked: number;
  readonly rule: ProxyRule;
  /** The chain that the rule is in, and the rules that led there. */
  readonly chain: string;
  readonly path: readonly ProxyRule[];
}

/** What the rules make of a kind of packet. */
export interface Evaluation {
  readonly leaves: readonly Leaf[];
  /** The share that no rule decides, and its marked part. */
  readonly rest: Share;
  /** Rules that send packets to a chain which decides nothing, or is not there. */
  readonly deadEnds: readonly ProxyRule[];
  /** Rules that ended a chain early, so that what follows them was not asked. */
  readonly returned: readonly ProxyRule[];
  /** Rules of session affinity that were passed by: the packet is of a new client. */
  readonly affinity: readonly { readonly rule: ProxyRule; readonly chain: string }[];
  readonly visited: ReadonlySet<string>;
}

interface Share {
  readonly weight: number;
  readonly marked: number;
}

/** What several evaluations of one service port saw: which rules can match at all, and which could not be understood. */
export class Sightings {
  readonly hit = new Set<ProxyRule>();
  readonly unknown = new Set<ProxyRule>();
  readonly chains = new Map<string, readonly ProxyRule[]>();
}

const NOTHING: Share = { weight: 0, marked: 0 };
/** kube-proxy's chains are four deep; a loop is a forged one. */
const MAX_DEPTH = 12;

/** Runs a kind of packet through a chain, over all dice. `markBit` is the mark that asks for masquerade. */
export function evaluate(
  source: RuleSource,
  chain: string,
  packet: ProxyPacket,
  markBit: number,
  seen: Sightings,
  isMarked = false,
): Evaluation {
  const run = new Run(source, packet, markBit, seen);
  const rest = run.chain(chain, { weight: 1, marked: isMarked ? 1 : 0 }, []);
  return {
    leaves: run.leaves,
    rest,
    deadEnds: run.deadEnds,
    returned: run.returned,
    affinity: run.affinity,
    visited: run.visited,
  };
}

class Run {
  readonly leaves: Leaf[] = [];
  readonly deadEnds: ProxyRule[] = [];
  readonly returned: ProxyRule[] = [];
  readonly affinity: { rule: ProxyRule; chain: string }[] = [];
  readonly visited = new Set<string>();

  constructor(
    private readonly source: RuleSource,
    private readonly packet: ProxyPacket,
    private readonly markBit: number,
    private readonly seen: Sightings,
  ) {}

  /** The share that comes back to the caller of the chain. */
  chain(name: string, share: Share, path: readonly ProxyRule[]): Share {
    const rules = this.source.rules(name, this.packet);
    const [last] = path.slice(-1);
    if (rules === undefined || path.length > MAX_DEPTH) {
      if (last !== undefined) this.deadEnds.push(last);
      return share;
    }
    this.seen.chains.set(name, rules);
    this.visited.add(name);
    let left = share;
    let back = NOTHING;
    for (const rule of rules) {
      if (left.weight <= 0) break;
      const chance = this.match(rule, name, left);
      if (chance === 0) continue;
      this.seen.hit.add(rule);
      const taken = scale(left, chance);
      left = subtract(left, taken);
      const { goesOn, returns } = this.act(rule, rule.actions, taken, name, path);
      left = add(left, goesOn);
      back = add(back, returns);
    }
    return add(left, back);
  }

  /** The chance that a rule matches; a rule that is not understood is noted and passed by. */
  private match(rule: ProxyRule, chain: string, share: Share): number {
    let chance = 1;
    let isAffinity = false;
    for (const test of rule.tests) {
      if (test.kind === 'chance') chance *= Math.min(1, test.probability);
      else if (test.kind === 'remembered') isAffinity = true;
      else {
        const result = this.test(test, share);
        if (result === undefined) {
          this.seen.unknown.add(rule);
          return 0;
        }
        if (!result) return 0;
      }
    }
    if (isAffinity) {
      this.affinity.push({ rule, chain });
      return 0;
    }
    return chance;
  }

  private test(test: Exclude<Test, { kind: 'chance' | 'remembered' }>, share: Share): boolean | undefined {
    const { packet } = this;
    switch (test.kind) {
      case 'source':
        return test.nets.some((net) => cidrContains(net, packet.src)) !== test.invert;
      case 'destination':
        return test.nets.some((net) => cidrContains(net, packet.dst)) !== test.invert;
      case 'source-local':
        return packet.srcIsLocal !== test.invert;
      case 'destination-local':
        return packet.dstIsLocal !== test.invert;
      case 'protocol':
        return (packet.protocol === test.value) !== test.invert;
      case 'dport':
        return (packet.dport === test.value) !== test.invert;
      case 'iif':
        return packet.fromPod !== test.invert;
      case 'mark':
        return (((share.marked > 0 ? this.markBit : 0) & test.mask) >>> 0 === test.value) !== test.invert;
      case 'remember':
        return true;
      case 'unknown':
        return undefined;
    }
  }

  private act(
    rule: ProxyRule,
    actions: readonly Action[],
    share: Share,
    chain: string,
    path: readonly ProxyRule[],
  ): { goesOn: Share; returns: Share } {
    let left = share;
    let returns = NOTHING;
    for (const action of actions) {
      const result = this.one(rule, action, left, chain, path);
      left = result.goesOn;
      returns = add(returns, result.returns);
    }
    return { goesOn: left, returns };
  }

  private one(
    rule: ProxyRule,
    action: Action,
    share: Share,
    chain: string,
    path: readonly ProxyRule[],
  ): { goesOn: Share; returns: Share } {
    const goesOn = (left: Share): { goesOn: Share; returns: Share } => ({ goesOn: left, returns: NOTHING });
    const ends = { goesOn: NOTHING, returns: NOTHING };
    switch (action.kind) {
      case 'dnat':
        this.leaf('dnat', rule, share, chain, path, action);
        return ends;
      case 'drop':
      case 'reject':
      case 'accept':
      case 'masquerade':
        this.leaf(action.kind, rule, share, chain, path);
        return ends;
      case 'return':
        this.returned.push(rule);
        return { goesOn: NOTHING, returns: share };
      case 'set-mark':
        return goesOn(this.marked(action, share));
      case 'call': {
        const before = this.leaves.length;
        const back = this.chain(action.chain, share, [...path, rule]);
        if (this.leaves.length === before && back.weight > 0 && !this.marks(action.chain)) this.deadEnds.push(rule);
        return action.goto ? { goesOn: NOTHING, returns: back } : goesOn(back);
      }
      case 'spread':
        return this.spread(rule, action, share, chain, path);
      case 'lookup': {
        const element = this.source.element(action.map, this.key(action.key));
        if (element === undefined) return goesOn(share);
        this.seen.hit.add(element);
        return this.act(element, element.actions, share, `@${action.map}`, [...path, rule]);
      }
      case 'remember':
        return goesOn(share);
      case 'unknown':
        this.seen.unknown.add(rule);
        return goesOn(share);
    }
  }

  private spread(
    rule: ProxyRule,
    { mod, to }: Extract<Action, { kind: 'spread' }>,
    share: Share,
    chain: string,
    path: readonly ProxyRule[],
  ): { goesOn: Share; returns: Share } {
    const part = scale(share, 1 / mod);
    let left = NOTHING;
    let returns = NOTHING;
    for (let index = 0; index < mod; index++) {
      const action = to.get(index);
      const result =
        action === undefined ? { goesOn: part, returns: NOTHING } : this.one(rule, action, part, chain, path);
      left = add(left, result.goesOn);
      returns = add(returns, result.returns);
    }
    return { goesOn: left, returns };
  }

  /** Chains that only set the mark come back, and are meant to. */
  private marks(chain: string): boolean {
    const rules = this.source.rules(chain, this.packet) ?? [];
    return rules.some(({ actions }) => actions.some(({ kind }) => kind === 'set-mark'));
  }

  private marked({ value, mask }: { readonly value: number; readonly mask: number }, share: Share): Share {
    if ((mask & this.markBit) >>> 0 !== this.markBit) return share;
    return { weight: share.weight, marked: (value & this.markBit) >>> 0 === this.markBit ? share.weight : 0 };
  }

  private key(parts: readonly ('ip' | 'protocol' | 'dport')[]): string {
    const { dst, protocol, dport } = this.packet;
    return parts.length === 1 ? formatIp(dst) : entryKey(parts.includes('ip') ? dst : undefined, protocol, dport);
  }

  private leaf(
    kind: Leaf['kind'],
    rule: ProxyRule,
    share: Share,
    chain: string,
    path: readonly ProxyRule[],
    to?: { readonly ip: Ip; readonly port: number },
  ): void {
    this.leaves.push({
      kind,
      ...(to === undefined ? {} : { ip: to.ip, port: to.port }),
      probability: share.weight,
      marked: share.marked,
      rule,
      chain,
      path,
    });
  }
}

function scale({ weight, marked }: Share, factor: number): Share {
  return { weight: weight * factor, marked: marked * factor };
}

function add(a: Share, b: Share): Share {
  return { weight: a.weight + b.weight, marked: a.marked + b.marked };
}

/** What is left of less than a billionth is rounding. */
function subtract(a: Share, b: Share): Share {
  const weight = a.weight - b.weight;
  return weight < 1e-9 ? NOTHING : { weight, marked: a.marked - b.marked };
}
