import {
  describePacket,
  type Evidence,
  type Hop,
  type Packet,
  type PathLink,
  type Place,
  type Step,
} from '#libs/model';
import { makeSkb, showSkb, type Obstacle, type Recorder, type Skb } from '#libs/netstack';

const MAX_OBSTACLES = 100;
/** A path that works comes to a place once or twice, through a proxy or a hairpin three times. */
const MAX_ROUNDS = 4;

export type Direction = 'forward' | 'reply';

export interface RecordedObstacle {
  readonly obstacle: Obstacle;
  readonly at: Place;
  readonly direction: Direction;
  /** The route that the packet had taken in the namespace where it stopped. */
  readonly route?: Evidence;
}

interface OpenHop {
  readonly at: Place;
  readonly steps: Step[];
  readonly hypothetical?: true;
}

/** Keeps one trace: hops, steps, links between hops, and what stood in the way. */
export class TraceRecorder implements Recorder {
  readonly hops: OpenHop[] = [];
  readonly links: PathLink[] = [];
  readonly obstacles: RecordedObstacle[] = [];
  private readonly shown = new ShownPacket();

  /** `blocked`: an earlier trace of the exchange was stopped, so all of this one is hypothetical. */
  constructor(
    readonly direction: Direction,
    private readonly blocked = false,
    private readonly onObstacle: (recorded: RecordedObstacle) => void = () => undefined,
    /** Nobody will look at the steps: only where the packet is and what stops it is kept. */
    readonly quiet = false,
  ) {}

  get stopped(): boolean {
    return this.blocked || this.obstacles.length > 0;
  }

  enter(at: Place): void {
    this.hops.push(this.stopped ? { at, steps: [], hypothetical: true } : { at, steps: [] });
  }

  /** What follows an obstacle within the same hop did not happen either. */
  step(step: Step): void {
    if (this.quiet) return;
    const hop = this.hops.at(-1);
    hop?.steps.push(this.stopped && !hop.hypothetical ? { ...step, hypothetical: true } : step);
  }

  obstacle(found: Obstacle): void {
    const obstacle = this.looped(found);
    // A rule set may drop the same packet a thousand times over; nobody reads that far.
    if (this.obstacles.length >= MAX_OBSTACLES) return;
    const at = this.hops.at(-1)?.at ?? obstacle.facts.subject;
    const route = this.hops.at(-1)?.steps.findLast((step) => step.kind === 'route')?.evidence;
    const recorded = { obstacle, at, direction: this.direction, route };
    const [evidence] = obstacle.facts.evidence;
    // What ends a visit at once is all that happens in it.
    if (this.hops.at(-1)?.steps.length === 0 && evidence !== undefined)
      this.step({ kind: 'route', text: evidence.text, evidence });
    this.obstacles.push(recorded);
    this.onObstacle(recorded);
  }

  link(link: Omit<PathLink, 'direction' | 'packet' | 'hypothetical'>, skb: Skb): void {
    if (this.quiet) return;
    this.links.push({
      ...link,
      direction: this.direction,
      packet: this.shown.of(skb).packet,
      ...(this.stopped ? { hypothetical: true } : {}),
    });
  }

  transmit(dev: string, skb: Skb): void {
    if (this.quiet) return;
    this.step({ kind: 'transmit', text: `out of ${dev}: ${this.shown.of(skb).text}`, interface: dev });
  }

  receive(dev: string, skb: Skb): void {
    if (this.quiet) return;
    this.step({ kind: 'receive', text: `in by ${dev}: ${this.shown.of(skb).text}`, interface: dev });
  }

  /** Whether the packet has been at a place so often that it goes round in circles. */
  circles(at: Place): boolean {
    let visits = 0;
    for (const hop of this.hops) if (hop.at === at) visits += 1;
    return visits > MAX_ROUNDS;
  }

  /** A hop limit that ends at a place that was visited again and again is a loop's; the routes that make it are the evidence. */
  private looped(obstacle: Obstacle): Obstacle {
    const place = this.hops.at(-1)?.at;
    if (obstacle.facts.code !== 'TTL_EXCEEDED' || place === undefined || !this.circles(place)) return obstacle;
    const evidence = new Map<Place, Evidence>();
    for (const hop of this.hops.slice(-2 * MAX_ROUNDS))
      for (const step of hop.steps)
        if (step.kind === 'route' && step.evidence !== undefined) evidence.set(hop.at, step.evidence);
    const routes = evidence.size === 0 ? obstacle.facts.evidence : [...evidence.values()];
    return { ...obstacle, facts: { ...obstacle.facts, code: 'ROUTING_LOOP', evidence: routes } };
  }

  /** Rounds of a loop after the second look all alike and are left out. */
  finished(): readonly Hop[] {
    if (this.hops.length <= MAX_ROUNDS) return this.hops;
    const visits = new Map<Place, number>();
    const hops: Hop[] = [];
    for (const [index, hop] of this.hops.entries()) {
      const visit = (visits.get(hop.at) ?? 0) + 1;
      visits.set(hop.at, visit);
      if (visit > MAX_ROUNDS && index < this.hops.length - 1) continue;
      hops.push(hop);
    }
    return hops;
  }
}

/** The packet as it was shown last: it crosses several devices before anything of it changes. */
class ShownPacket {
  private skb: Skb | undefined;
  private packet: Packet | undefined;
  private text = '';

  of(skb: Skb): { readonly packet: Packet; readonly text: string } {
    if (this.packet === undefined || this.skb === undefined || !looksLike(this.skb, skb)) {
      this.skb = makeSkb(skb);
      this.packet = showSkb(skb);
      this.text = describePacket(this.packet);
    }
    return { packet: this.packet, text: this.text };
  }
}

/** Whether showSkb() would say the same of both. */
function looksLike(a: Skb, b: Skb): boolean {
  return (
    a.src === b.src &&
    a.dst === b.dst &&
    a.sport === b.sport &&
    a.dport === b.dport &&
    a.mark === b.mark &&
    a.protocol === b.protocol &&
    a.tcpFlags === b.tcpFlags &&
    a.inner === undefined &&
    b.inner === undefined
  );
}
