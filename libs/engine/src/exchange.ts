import {
  formatIp,
  formatSocket,
  suspect,
  type Disposition,
  type Hop,
  type Ip,
  type PathLink,
  type Place,
  type Skipped,
  type Suspicion,
  type Symptom,
} from '#libs/model';
import {
  ACK,
  answerSource,
  findListener,
  PSH,
  reverseTuple,
  RST,
  send,
  SYN,
  TCP,
  tupleKey,
  tupleOf,
  type Answer,
  type Chooser,
  type NetNamespace,
  type Outcome,
  type NamespaceRun,
  type Skb,
  type Tuple,
} from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { ExchangeState, type FlightContext } from './flight-context.js';
import { flyFrom, flyFromOutside, type FlightEnd } from './flight.js';
import { ASYNCHRONOUS, icmpSymptom } from './icmp-symptom.js';
import { answerPacket, errorPacket, portUnreachable, request, type ExchangeRequest } from './packets.js';
import { TraceRecorder, type RecordedObstacle } from './trace-recorder.js';
import { namespaceAt, numberedPlaces, type World } from './world.js';

/** Bytes of a data packet that no negotiation makes smaller: net.ipv4.tcp_min_snd_mss (48) behind 40 bytes of headers. */
const SMALLEST_FULL_SEGMENT = 88;

/** What one exchange came to. */
export interface Exchange {
  /** All namespaces that its packets came to, errors and data among them. */
  readonly touched: ReadonlySet<NetNamespace>;
  /** All its packets went from node to node with the addresses of both ends. */
  readonly isPlain: boolean;
  readonly symptom: Symptom;
  readonly disposition: Disposition;
  readonly at: Place;
  readonly backend?: string;
  readonly sourceSeen: string | null;
  readonly forward: { readonly hops: readonly Hop[]; readonly disposition: Disposition };
  readonly reply?: { readonly hops: readonly Hop[]; readonly disposition: Disposition };
  readonly links: readonly PathLink[];
  readonly obstacles: readonly RecordedObstacle[];
  readonly visited: readonly NetNamespace[];
  /** The two ends as their own namespaces know them. */
  readonly addresses: readonly Ip[];
  /** The source that the client's socket has; undefined when it never got one. */
  readonly sender: Ip | undefined;
  /** Where the request was going last: the backend once a service was translated. */
  readonly target: { readonly ip: Ip; readonly port: number };
  /** The request as the listener sees it; undefined when it did not arrive. */
  readonly arrival: { readonly src: Ip } | undefined;
  /** Fixed neighbour entries that led packets astray. */
  readonly misled: readonly Finding[];
  readonly skipped: readonly Skipped[];
  readonly notes: readonly Suspicion[];
  readonly assumptions: readonly string[];
}

/** `quiet`: only whether and where the exchange stops is of interest; no steps are kept, and sizes are not tried. */
export function runExchange(world: World, request: ExchangeRequest, chooser: Chooser, quiet = false): Exchange {
  return new ExchangeRun(world, request, chooser, quiet).run();
}

interface Stop {
  readonly symptom: Symptom;
  readonly disposition: Disposition;
  readonly at: Place;
}

class ExchangeRun {
  private readonly state: ExchangeState;
  private readonly obstacles: RecordedObstacle[] = [];
  /** Set by the first obstacle: what the client sees, whatever the rest of the walk would bring. */
  private stop: Stop | undefined;

  constructor(
    private readonly world: World,
    private readonly request: ExchangeRequest,
    private readonly chooser: Chooser,
    private readonly quiet: boolean,
  ) {
    this.state = new ExchangeState(request.sourcePort !== undefined);
  }

  run(): Exchange {
    const forward = this.recorder('forward');
    const end = this.sendRequest(forward, request(this.request));
    const sent = end.kind === 'lost' ? undefined : this.firstTuple;
    // Lost in a tunnel: what it carries is what the exchange is about.
    const last = end.skb.inner ?? end.skb;
    this.addresses = [...(this.firstTuple === undefined ? [] : [this.firstTuple.src]), last.dst];
    this.target = { ip: last.dst, port: last.dport };
    if (end.kind === 'delivered') this.arrival = { src: end.skb.src };
    if (end.kind === 'lost') return this.result(forward, undefined, end);
    if (end.kind === 'exits') return this.exited(forward, end);
    const listening = this.arriveAtSocket(forward, end);
    if (!listening) return this.result(forward, undefined, end);
    const reply = this.recorder('reply');
    const back = this.sendAnswer(reply, end, this.request.protocol === 'tcp' ? SYN | ACK : 0);
    this.checkAnswer(reply, back, sent);
    if (this.stop === undefined && this.request.protocol === 'tcp') this.exchangeData(end, sent);
    if (this.stop === undefined && this.request.protocol === 'tcp' && sent !== undefined && !this.quiet)
      this.checkFullSize(end, sent);
    return this.result(forward, reply, end, back);
  }

  private firstTuple: Tuple | undefined;
  private addresses: Ip[] = [];
  private arrival: Exchange['arrival'];
  private target: Exchange['target'] | undefined;

  private recorder(direction: 'forward' | 'reply', quiet = this.quiet): TraceRecorder {
    return new TraceRecorder(direction, this.stop !== undefined, (recorded) => this.onObstacle(recorded), quiet);
  }

  private context(recorder: TraceRecorder): FlightContext {
    return { world: this.world, state: this.state, recorder, chooser: this.chooser };
  }

  private sendRequest(recorder: TraceRecorder, packet: Omit<Skb, 'src'> & { src?: Ip }): FlightEnd {
    const { client, clientIp } = this.request;
    if (client === undefined) {
      const skb: Skb = { ...packet, src: packet.src ?? clientIp ?? packet.dst };
      this.firstTuple ??= tupleOf(skb);
      return flyFromOutside(this.context(recorder), skb);
    }
    return flyFrom(this.context(recorder), client, (run) => this.sendFirst(run, packet));
  }

  /** The tuple that the client's socket knows is the one before any translation. */
  private sendFirst(run: NamespaceRun, packet: Omit<Skb, 'src'> & { src?: Ip }): Outcome {
    const outcome = send(run, packet);
    this.firstTuple ??= outcome.skb.ct?.conn.original ?? tupleOf(outcome.skb);
    return outcome;
  }

  /** True when a socket takes the packet. */
  private arriveAtSocket(recorder: TraceRecorder, end: Extract<FlightEnd, { kind: 'delivered' }>): boolean {
    const found = findListener(end.ns, end.skb, end.iif);
    const target = formatSocket(end.skb.dst, end.skb.dport);
    if (found.kind === 'socket') {
      recorder.step({ kind: 'deliver', text: `delivered to ${target}`, evidence: found.evidence });
      return true;
    }
    if (found.kind === 'unknown') {
      const what = `whether something listens on ${target} in ${end.ns.id} (ss-listen.txt: ${found.reason})`;
      if (this.chooser.guess(what)) {
        recorder.step({ kind: 'deliver', text: `delivered to ${target}; what listens there was not collected` });
        return true;
      }
    }
    const none = found.kind === 'none' ? found : undefined;
    const backlog = none?.code === 'LISTENER_BACKLOG_FULL';
    recorder.obstacle({
      facts: {
        code: none?.code ?? 'LISTENER_NOT_COLLECTED',
        subject: end.ns.place,
        evidence:
          none === undefined
            ? [{ kind: 'file', at: end.ns.place, locator: 'ss-listen.txt', text: 'not collected' }]
            : [none.evidence],
        details: none?.details ?? { destination: target },
      },
      disposition: none === undefined ? 'insufficient-info' : backlog ? 'dropped' : 'no-listener',
      answer: backlog ? { kind: 'silence' } : end.skb.protocol === TCP ? { kind: 'reset' } : portUnreachable(end.skb),
      skb: end.skb,
    });
    return false;
  }

  private sendAnswer(
    recorder: TraceRecorder,
    end: Extract<FlightEnd, { kind: 'delivered' }>,
    flags: number,
    length = 60,
  ): FlightEnd {
    const { skb } = end;
    return flyFrom(this.context(recorder), end.ns, (run) => send(run, { ...answerPacket(skb, flags), length }));
  }

  /** The answer counts when it comes to the client's namespace, to its port, from the address that it asked. */
  private checkAnswer(recorder: TraceRecorder, end: FlightEnd, sent: Tuple | undefined): void {
    if (this.stop !== undefined || sent === undefined) return;
    if (this.answers(end, sent)) {
      recorder.step({ kind: 'deliver', text: 'the answer reaches the client' });
      return;
    }
    if (end.kind === 'lost') return;
    const skb = end.skb;
    const at =
      end.kind === 'delivered' ? end.ns.place : (this.request.client?.place ?? { kind: 'network', name: 'underlay' });
    const from = formatSocket(skb.src, skb.sport);
    const asked = formatSocket(sent.dst, sent.dport);
    const bypass = this.world.namespaces.get(`node/${this.request.client?.place.node ?? ''}`);
    const nfCall = bypass?.sysctl('net.bridge.bridge-nf-call-iptables');
    const sameNode = end.kind === 'delivered' && end.ns === this.request.client && nfCall !== '1';
    recorder.obstacle({
      facts: {
        code: sameNode && bypass !== undefined ? 'BRIDGE_NF_CALL_OFF' : 'WRONG_SOURCE_ADDRESS',
        subject: sameNode && bypass !== undefined ? bypass.place : at,
        evidence: [
          sameNode && bypass !== undefined
            ? {
                kind: 'sysctl',
                at: bypass.place,
                locator: 'net.bridge.bridge-nf-call-iptables',
                text: `net.bridge.bridge-nf-call-iptables = ${nfCall ?? 'not there: br_netfilter is not loaded'}`,
              }
            : {
                kind: 'conntrack',
                at,
                locator: `answer/${from}`,
                text: `the client asked ${asked} and gets an answer from ${from}`,
              },
        ],
        details: { actual: from },
      },
      disposition: end.kind === 'exits' ? 'exits-cluster' : 'dropped',
      answer: { kind: 'silence' },
      skb,
    });
  }

  private answers(end: FlightEnd, sent: Tuple): boolean {
    const { skb } = end;
    const fits = skb.src === sent.dst && skb.sport === sent.dport && skb.dst === sent.src && skb.dport === sent.sport;
    if (end.kind === 'delivered') return fits && end.ns === this.request.client;
    return end.kind === 'exits' && fits && this.request.client === undefined;
  }

  /**
   * The handshake's last packet with the first request, and the server's answer: a firewall that saw one direction only,
   * or the connection's state, may stop them when the SYN passed. Kept out of the trace unless they are stopped.
   */
  private exchangeData(first: Extract<FlightEnd, { kind: 'delivered' }>, sent: Tuple | undefined): void {
    if (sent === undefined) return;
    const forward = this.recorder('forward', true);
    const packet = { ...request(this.request), src: sent.src, tcpFlags: ACK | PSH };
    const end = this.sendRequest(forward, packet);
    if (this.stop !== undefined) return;
    if (end.kind !== 'delivered' || end.ns !== first.ns) return this.strayed(forward, end);
    const reply = this.recorder('reply', true);
    const back = this.sendAnswer(reply, end, ACK | PSH, SMALLEST_FULL_SEGMENT);
    if (this.stop === undefined && !this.answers(back, sent)) this.strayed(reply, back);
  }

  /**
   * Full-size packets after a handshake that worked: where a link on the way is too small, the sender must hear of it
   * (RFC 1191). When it does not, bulk data stalls while small requests pass: a finding, not another verdict.
   */
  private checkFullSize(first: Extract<FlightEnd, { kind: 'delivered' }>, sent: Tuple): void {
    const { client } = this.request;
    const size = Math.min(mtuOf(client, sent.src), mtuOf(first.ns, first.skb.dst));
    if (!Number.isFinite(size) || this.state.smallestMtu >= size) return;
    for (const direction of ['forward', 'reply'] as const) {
      const probe = new TraceRecorder(direction, false, undefined, true);
      const end =
        direction === 'forward'
          ? this.sendRequest(probe, { ...request(this.request), src: sent.src, tcpFlags: ACK | PSH, length: size })
          : flyFrom(this.context(probe), first.ns, (run) =>
              send(run, { ...answerPacket(first.skb, ACK | PSH), length: size }),
            );
      const [blocked] = probe.obstacles;
      if (end.kind === 'exits' || blocked?.obstacle.facts.code !== 'PMTU_BLACKHOLE') continue;
      const { answer, skb, facts } = blocked.obstacle;
      const told =
        answer.kind === 'icmp' &&
        this.errorArrives(skb, answer, blocked.at, direction === 'forward' ? client : first.ns);
      if (!told) this.state.notes.push(suspect({ ...facts, blocking: false }));
    }
  }

  private strayed(recorder: TraceRecorder, end: FlightEnd): void {
    const at =
      end.kind === 'delivered' ? end.ns.place : (recorder.hops.at(-1)?.at ?? { kind: 'network', name: 'underlay' });
    const text = `data of the connection arrives as ${formatSocket(end.skb.src, end.skb.sport)} to ${formatSocket(end.skb.dst, end.skb.dport)}`;
    recorder.obstacle({
      facts: {
        code: 'ASYMMETRIC_ROUTE',
        subject: at,
        evidence: [{ kind: 'conntrack', at, locator: 'conntrack', text }],
        details: {},
      },
      disposition: 'dropped',
      // The client's kernel knows no such connection and resets it; the server's answer to that ends the real one.
      answer: end.kind === 'delivered' && end.ns === this.request.client ? { kind: 'reset' } : { kind: 'silence' },
      skb: end.skb,
    });
  }

  private onObstacle(recorded: RecordedObstacle): void {
    this.obstacles.push(recorded);
    if (this.stop !== undefined) return;
    const { obstacle, at } = recorded;
    this.stop = { symptom: 'timeout', disposition: obstacle.disposition, at };
    this.stop = { ...this.stop, symptom: this.symptomOf(recorded) };
  }

  /** What of the stop reaches the client: errors are packets too, and may get lost. */
  private symptomOf({ obstacle, at, direction }: RecordedObstacle): Symptom {
    const { answer, skb } = obstacle;
    if (obstacle.disposition === 'insufficient-info') return 'unknown';
    const { client, protocol } = this.request;
    if (direction === 'reply' && answer.kind === 'reset' && at === client?.place) return 'refused';
    if (answer.kind === 'silence' || direction === 'reply' || skb.inner !== undefined) return 'timeout';
    const local = client !== undefined && at === client.place;
    if (answer.kind === 'errno')
      // A connected datagram socket does not see a failed ARP (EHOSTUNREACH is not fatal to it).
      return protocol === 'udp' && ASYNCHRONOUS.has(obstacle.disposition) ? 'timeout' : 'unreachable';
    const seen = answer.kind === 'reset' ? 'refused' : icmpSymptom(protocol, skb.family, answer.type, answer.code);
    // An error to oneself goes over lo.
    if (local && client.link('lo')?.flags.has('UP') === false) return 'timeout';
    if (seen === 'timeout') return seen;
    return this.errorArrives(obstacle.skb, answer, at) ? seen : 'timeout';
  }

  private errorArrives(
    skb: Skb,
    answer: Extract<Answer, { kind: 'icmp' | 'reset' }>,
    at: Place,
    sender = this.request.client,
  ): boolean {
    const ns = namespaceAt(this.world, at);
    const recorder = new TraceRecorder('reply', true, undefined, true);
    const end = this.sendError(recorder, skb, answer, ns);
    if (end === undefined || recorder.obstacles.length > 0) return false;
    const heard = sender !== this.request.client || this.isAboutConnection(end.skb);
    if (end.kind === 'exits') return sender === undefined && heard;
    return end.kind === 'delivered' && end.ns === sender && heard;
  }

  private sendError(
    recorder: TraceRecorder,
    skb: Skb,
    answer: Extract<Answer, { kind: 'icmp' | 'reset' }>,
    ns: NetNamespace | undefined,
  ): FlightEnd | undefined {
    const context = this.context(recorder);
    if (answer.kind === 'icmp' && answer.outside)
      return flyFromOutside(context, { ...errorPacket(skb, answer), src: skb.dst });
    if (ns === undefined) return undefined;
    // nf_send_reset() puts a reset for a bridged packet straight back on its port, past any translation.
    if (answer.kind === 'reset' && skb.physIn !== undefined && this.request.client !== undefined) {
      const back: Skb = { ...answerPacket(skb, RST | ACK), src: skb.dst };
      return { kind: 'delivered', ns: this.request.client, iif: '', skb: back };
    }
    // Both belong to the connection that they refuse, confirmed or not (nf_ct_attach(), icmp_send()), and are translated with it.
    const ct =
      skb.ct === undefined ? undefined : { conn: skb.ct.conn, reply: !skb.ct.reply, state: 'RELATED' as const };
    if (answer.kind === 'reset')
      return flyFrom(context, ns, (run) =>
        send(run, { ...answerPacket(skb, RST | ACK), ct }, undefined, { anySource: true }),
      );
    return flyFrom(context, ns, (run) =>
      send(run, { ...errorPacket(skb, answer), src: answerSource(run, skb, ''), ct }),
    );
  }

  /** An error counts when it names the connection as the client's socket knows it: not one that is still translated. */
  private isAboutConnection(skb: Skb): boolean {
    const sent = this.firstTuple;
    if (sent === undefined) return true;
    const about = skb.icmp?.quoted ?? reverseTuple(tupleOf(skb));
    return tupleKey(about) === tupleKey(sent);
  }

  private exited(forward: TraceRecorder, end: Extract<FlightEnd, { kind: 'exits' }>): Exchange {
    const at = forward.hops.at(-1)?.at ?? { kind: 'network', name: 'underlay' };
    const destination = formatSocket(end.skb.dst, end.skb.dport);
    this.state.skipped.push({
      code: 'LISTENER_NOT_COLLECTED',
      reason: `what listens at ${destination} is not in the snapshot`,
    });
    const stop = this.stop;
    return {
      ...this.common(forward, undefined),
      symptom: stop?.symptom ?? 'unknown',
      disposition: stop?.disposition ?? 'exits-cluster',
      at: stop?.at ?? at,
      sourceSeen: null,
      forward: { hops: forward.finished(), disposition: stop?.disposition ?? 'exits-cluster' },
    };
  }

  private result(forward: TraceRecorder, reply: TraceRecorder | undefined, end: FlightEnd, back?: FlightEnd): Exchange {
    const stop = this.stop;
    const delivered = end.kind === 'delivered' && !forward.stopped;
    const noListener = stop?.disposition === 'no-listener';
    const reached = end.kind === 'delivered' && (delivered || noListener);
    const at = stop?.at ?? (end.kind === 'delivered' ? end.ns.place : { kind: 'network', name: 'underlay' });
    const replyStop = reply?.obstacles[0]?.obstacle.disposition;
    return {
      ...this.common(forward, reply),
      symptom: stop?.symptom ?? 'connected',
      disposition: stop?.disposition ?? 'accepted',
      at,
      ...(reached ? { backend: formatSocket(end.skb.dst, end.skb.dport) } : {}),
      sourceSeen: delivered ? formatIp(end.skb.src) : null,
      forward: { hops: forward.finished(), disposition: forward.obstacles[0]?.obstacle.disposition ?? 'accepted' },
      ...(reply === undefined
        ? {}
        : {
            reply: {
              hops: reply.finished(),
              disposition: replyStop ?? (back?.kind === 'exits' ? 'exits-cluster' : 'accepted'),
            },
          }),
    };
  }

  /** An exchange that fails and met an old connection may fail because of it. */
  private staleConnections(): Suspicion[] {
    if (this.stop === undefined) return [];
    return this.state.revived().map(({ ns, text }) =>
      suspect({
        code: 'CONNTRACK_STALE_ENTRY',
        subject: ns.place,
        evidence: [{ kind: 'conntrack', at: ns.place, locator: 'conntrack', text }],
        blocking: false,
      }),
    );
  }

  private common(
    forward: TraceRecorder,
    reply: TraceRecorder | undefined,
  ): Omit<Exchange, 'symptom' | 'disposition' | 'at' | 'backend' | 'sourceSeen' | 'forward' | 'reply'> {
    const places = new Set<Place>();
    for (const hop of [...forward.hops, ...(reply?.hops ?? [])]) if (!hop.hypothetical) places.add(hop.at);
    return {
      links: [...forward.links, ...(reply?.links ?? [])],
      obstacles: this.obstacles,
      touched: new Set(this.state.touched),
      isPlain: !this.state.translates && !this.state.asksOutside,
      visited: this.quiet ? [] : visited(this.world, places),
      addresses: this.addresses,
      sender: this.firstTuple?.src,
      target: this.target ?? { ip: this.request.dst, port: this.request.port },
      arrival: this.arrival,
      misled: this.state.misled,
      skipped: this.state.skipped,
      notes: [...this.state.notes, ...this.staleConnections()],
      assumptions: [...this.state.assumptions],
    };
  }
}

/** In the order of the snapshot, whatever way the packet took. */
function visited(world: World, places: ReadonlySet<Place>): NetNamespace[] {
  const numbered = numberedPlaces(world);
  const found = [...places].flatMap((place) => numbered.get(place) ?? []);
  return found.toSorted((a, b) => a.number - b.number).map(({ ns }) => ns);
}

/** The MTU of the interface that has the address: what TCP derives its segment size from. */
function mtuOf(ns: NetNamespace | undefined, ip: Ip): number {
  return ns?.owns(ip)?.mtu ?? Infinity;
}
