import type { Answer } from '../ask-cli.js';
import { buildCluster } from '../build-cluster.js';
import { probesOf, type LabProbe } from '../cases/probes.js';
import { compareWithAnswer } from '../compare.js';
import { dumpCluster } from '../dump-cluster.js';
import type { ClusterSpec } from '../cluster/spec.js';
import { removeLabNamespaces } from '../netns/lab-namespaces.js';
import { Agents, type Attempt, type Slowness } from '../traffic/agents.js';
import { askAbout } from './ask-about.js';
import type { LabCluster } from './clusters.js';
import { runSteps, type Fault } from './fault.js';
import { judge, type Judgement } from './judge.js';
import { expectedOf } from './schedule.js';
import { Target } from './target.js';
import { worksIn, writeTruth, type Truth, type TrueProbe } from './truth.js';

// A refusal that meets a locked socket is noticed at the retransmission of the SYN, after a second.
const PROBE_TIMEOUT_MS = 1300;

/** Each source one after the other; a token of the kernel's bucket for ICMP errors is new after a second. */
const BY_SOURCE: Slowness = { queueOf: ({ from }) => from, pauseMs: 1100, most: 40, patience: 3 };
/**
 * Nothing else is on its way then. A route error takes two tokens of its receiver's bucket, one in ip_error() and one in
 * icmpv4_xrlim_allow(), and a SYN that is sent again takes two more.
 */
const ALONE: Slowness = { queueOf: () => 'everybody', pauseMs: 4200, most: 30 };

export interface LabRun extends Judgement {
  readonly seconds: Readonly<Record<string, number>>;
  /** Done a second time because kernel and program differed; only what differed both times is listed. */
  readonly repeated: boolean;
  /** Probes that were asked a second time, alone, because kernel and program differed. */
  readonly askedAlone: number;
  /** Keys of the probes that connected. */
  readonly works: ReadonlySet<string>;
}

export interface RunOptions {
  readonly thorough: boolean;
  /** Asks nothing a second time. */
  readonly once: boolean;
  /** Where the snapshot stays, with what the kernel did beside it; without it, it is removed. */
  readonly keepAs?: string;
  /** Keys of what connects in this cluster when it is healthy; absent: this run is the healthy one. */
  readonly baseline?: ReadonlySet<string>;
}

/** Builds a cluster, breaks it, makes every connection, dumps it, asks the program and compares. */
export async function runInLab(
  target: LabCluster,
  faults: readonly Fault[],
  { thorough, once, keepAs, baseline }: RunOptions,
): Promise<LabRun> {
  const { topology } = target;
  const watch = new StopWatch();
  const named = new Target(target);
  const cluster = withPolicies(named, faults);
  const questions = probesOf(cluster, thorough);
  const listens = Object.assign({}, ...faults.map((fault) => fault.listens?.(named) ?? {}));
  const plan = topology
    .plan(cluster)
    .map((namespace) => ({ ...namespace, listens: listens[namespace.name] ?? namespace.listens }));
  try {
    await buildCluster(plan);
    watch.lap('build');
    const agents = await Agents.start(plan);
    try {
      await runSteps(faults.flatMap(({ steps }) => steps?.(named) ?? []));
      watch.lap('start');
      const attempts = await agents.probe(
        questions.map(({ probe }) => probe),
        PROBE_TIMEOUT_MS,
      );
      watch.lap('probe');
      const snapshot = await dumpCluster({ cluster, topology }, plan, agents);
      watch.lap('dump');
      const answers = await askAbout(
        snapshot,
        questions.map(({ pair }) => pair),
        keepAs,
      );
      watch.lap('diagnose');
      const again = once ? NOTHING_AGAIN : await askAgainSlowly(agents, questions, attempts, answers);
      watch.lap('again');
      const probes = truthOf(questions, new Map([...attempts, ...again.attempts]), baseline);
      const truth: Truth = { cluster: target.name, faults: faults.map(({ name }) => name), probes };
      if (keepAs !== undefined) await writeTruth(keepAs, truth);
      const expected = expectedOf({ lab: target, faults });
      const judged = judge(probes, answers, expected);
      const works = new Set(questions.filter((_, at) => isWorking(probes[at])).map(keyOf));
      return { ...judged, works, seconds: watch.seconds, repeated: false, askedAlone: again.alone };
    } finally {
      await agents.stop();
    }
  } finally {
    await removeLabNamespaces();
  }
}

/** Policies change what the CNI plugin writes from the start; where kube-proxy writes nftables Calico does so too. */
function withPolicies(target: Target, faults: readonly Fault[]): ClusterSpec {
  const { cluster } = target.lab;
  const worlds = faults.flatMap(({ policies }) => (policies === undefined ? [] : [policies(target)]));
  if (worlds.length === 0) return cluster;
  return { ...cluster, policies: worlds.flat(), calicoInNftables: target.isNftables };
}

function isWorking(probe: TrueProbe | undefined): boolean {
  return probe !== undefined && worksIn(probe);
}

/** Names a probe in every run on clusters of one kind. */
function keyOf({ probe: { from, address, port, protocol } }: LabProbe): string {
  return `${from} ${address} ${port} ${protocol}`;
}

function truthOf(
  questions: readonly LabProbe[],
  attempts: ReadonlyMap<string, readonly Attempt[]>,
  baseline: ReadonlySet<string> | undefined,
): TrueProbe[] {
  return questions.map((question) => {
    const { kind, pair } = question;
    const observed = [...(attempts.get(pair.id) ?? [])];
    const worksHealthy = baseline?.has(keyOf(question)) ?? worksIn({ attempts: observed });
    return { kind, pair, worksHealthy, attempts: observed };
  });
}

/** What was asked again, and what became of it. */
interface Again {
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  /** Probes that were asked again alone because kernel and program differed. */
  readonly alone: number;
}

const NOTHING_AGAIN: Again = { attempts: new Map(), alone: 0 };

/**
 * A router sends one source five ICMP errors at once and then one a second (ip_error in net/ipv4/route.c; not to be changed in
 * a namespace): of many probes that should be told "unreachable" most would time out. Those that timed out and should not have are
 * asked again, each source one after the other. Whatever then still differs (behind a masquerade many sources are one) is asked
 * again alone, with pauses, and the second truth counts.
 */
async function askAgainSlowly(
  agents: Agents,
  probes: readonly LabProbe[],
  attempts: ReadonlyMap<string, readonly Attempt[]>,
  answers: ReadonlyMap<string, Answer>,
): Promise<Again> {
  let asked = new Map<string, readonly Attempt[]>();
  const doubtful = (isDoubtful: typeof isDifferent) =>
    probes
      .filter(({ pair: { id } }) => isDoubtful(id, asked.get(id) ?? attempts.get(id) ?? [], answers.get(id)))
      .map(({ probe }) => probe);
  // No ICMP error is in play where a connection is predicted: a busy machine needs time, and nobody has to stand in a queue.
  const predicted = doubtful(isTooLate).filter(({ id }) => expectsConnection(answers.get(id)));
  asked = new Map([...asked, ...(await agents.probe(predicted, 3 * PROBE_TIMEOUT_MS))]);
  asked = new Map([...asked, ...(await agents.probeOneByOne(doubtful(isTooLate), 2 * PROBE_TIMEOUT_MS, BY_SOURCE))]);
  const alone = await agents.probeOneByOne(doubtful(isDifferent), 2 * PROBE_TIMEOUT_MS, ALONE);
  return { attempts: new Map([...asked, ...alone]), alone: alone.size };
}

function expectsConnection(answer: Answer | undefined): boolean {
  return answer?.kind === 'diagnosis' && answer.branches.some(({ symptom }) => symptom === 'connected');
}

/** undetermined differs from anything: asking the kernel again would not change it. */
function isDifferent(id: string, observed: readonly Attempt[], answer: Answer | undefined): boolean {
  if (answer?.kind !== 'diagnosis' || answer.verdict === 'undetermined') return false;
  return compareWithAnswer(id, observed, answer).length > 0;
}

function isTooLate(id: string, observed: readonly Attempt[], answer: Answer | undefined): boolean {
  return observed.some(({ outcome }) => outcome === 'timeout') && isDifferent(id, observed, answer);
}

class StopWatch {
  readonly seconds: Record<string, number> = {};
  private last = performance.now();

  lap(name: string): void {
    const now = performance.now();
    this.seconds[name] = Math.round(now - this.last) / 1000;
    this.last = now;
  }
}
