import { describePacket, type Hop, type PathLink, type Place, type Step } from '#libs/model';
import { showSkb, type Obstacle, type Recorder, type Skb } from '#libs/netstack';

const MAX_OBSTACLES = 100;

export type Direction = 'forward' | 'reply';

export interface RecordedObstacle {
  readonly obstacle: Obstacle;
  readonly at: Place;
  readonly direction: Direction;
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
    this.hops.push({ at, steps: [], ...(this.stopped ? { hypothetical: true } : {}) });
  }

  /** What follows an obstacle within the same hop did not happen either. */
  step(step: Step): void {
    if (this.quiet) return;
    const hop = this.hops.at(-1);
    hop?.steps.push(this.stopped && !hop.hypothetical ? { ...step, hypothetical: true } : step);
  }

  obstacle(obstacle: Obstacle): void {
    // A rule set may drop the same packet a thousand times over; nobody reads that far.
    if (this.obstacles.length >= MAX_OBSTACLES) return;
    const at = this.hops.at(-1)?.at ?? obstacle.facts.subject;
    const recorded = { obstacle, at, direction: this.direction };
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
      packet: showSkb(skb),
      ...(this.stopped ? { hypothetical: true } : {}),
    });
  }

  transmit(dev: string, skb: Skb): void {
    if (this.quiet) return;
    this.step({ kind: 'transmit', text: `out of ${dev}: ${describePacket(showSkb(skb))}`, interface: dev });
  }

  receive(dev: string, skb: Skb): void {
    if (this.quiet) return;
    this.step({ kind: 'receive', text: `in by ${dev}: ${describePacket(showSkb(skb))}`, interface: dev });
  }

  finished(): Hop[] {
    return this.hops.map((hop) => ({ ...hop, steps: [...hop.steps] }));
  }
}
