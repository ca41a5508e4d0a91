import type { Answer } from '../ask-cli.js';
import { compareWithAnswer, falseAlarms } from '../compare.js';
import { describeFinding, namesCause, type Cause } from './cause.js';
import { worksIn, type TrueProbe } from './truth.js';

export interface Difference {
  readonly probe: TrueProbe;
  readonly text: string;
}

/** How far the program agrees with the kernel in one cluster. */
export interface Judgement {
  readonly probes: number;
  readonly connections: number;
  /** Probes on which the kernel and the program differ. */
  readonly disagreements: readonly Difference[];
  /** Probes of which nothing can be said, and of which nothing is: what decides is in no dump. */
  readonly exceptions: number;
  /** Suspicions above `info` of probes that work in a healthy cluster. */
  readonly falseAlarms: readonly Difference[];
  /** Probes that the kernel did not let through in every attempt. */
  readonly failing: number;
  readonly naming: Naming;
}

/** Whether the first of what stops a packet is what was broken. */
interface Naming {
  /** Probes that connect in the healthy cluster and not in this one. */
  readonly broken: number;
  readonly named: number;
  /** What was named instead, and for how many probes. */
  readonly instead: ReadonlyMap<string, number>;
}

/** What is known of a cluster by what was done to it. */
export interface Expected {
  readonly causes: readonly Cause[];
  /** Nothing is broken: what works must raise no alarm. */
  readonly isHealthy: boolean;
  /** Policies are enforced as they are meant: what the program says of them must not differ from what the kernel does. */
  readonly enforcesPolicies?: boolean;
  readonly isUndecidable?: boolean;
}

export function judge(
  probes: readonly TrueProbe[],
  answers: ReadonlyMap<string, Answer>,
  { causes, isHealthy, enforcesPolicies = false, isUndecidable = false }: Expected,
): Judgement {
  const disagreements: Difference[] = [];
  const alarms: Difference[] = [];
  const instead = new Map<string, number>();
  let [failing, connections, broken, named, exceptions] = [0, 0, 0, 0, 0];
  for (const probe of probes) {
    const { pair, attempts, worksHealthy } = probe;
    const answer = answers.get(pair.id) ?? NO_ANSWER;
    const works = worksIn(probe);
    connections += attempts.length;
    if (!works) failing++;
    if (isUndecidable && answer.kind === 'diagnosis' && answer.verdict === 'undetermined') {
      exceptions++;
      continue;
    }
    const texts = attempts.length === 0 ? [`${pair.id}: not tried`] : compareWithAnswer(pair.id, attempts, answer);
    if (texts.length > 0) disagreements.push({ probe, text: texts.join('; ') });
    if (!works && worksHealthy) {
      broken++;
      const said = firstNamed(answer, causes);
      if (said === undefined) named++;
      else instead.set(said, (instead.get(said) ?? 0) + 1);
    }
    const doubts =
      enforcesPolicies && answer.kind === 'diagnosis' ? answer.alarms.filter((code) => DOUBTS.has(code)) : [];
    if (doubts.length > 0)
      alarms.push({ probe, text: `${pair.id}: policies are enforced, and it says ${doubts.join(', ')}` });
    if (!isHealthy || !works) continue;
    const [alarm] = falseAlarms(pair.id, answer);
    if (alarm !== undefined) alarms.push({ probe, text: alarm });
  }
  const naming = { broken, named, instead };
  return { probes: probes.length, connections, disagreements, exceptions, falseAlarms: alarms, failing, naming };
}

/** What contradicts the policies as the kernel enforces them. */
const DOUBTS: ReadonlySet<string> = new Set(['POLICY_NOT_PROGRAMMED', 'POLICY_NOT_ENFORCED', 'POLICY_STALE']);

const NO_ANSWER: Answer = { kind: 'error', code: 'NO_LINE', message: 'the program printed no line' };

/** What the answer names in place of a cause; undefined when it names one. */
function firstNamed(answer: Answer, causes: readonly Cause[]): string | undefined {
  if (answer.kind === 'error') return `no answer (${answer.code})`;
  const [first] = answer.blocking;
  if (first === undefined) return `nothing (${answer.verdict})`;
  return namesCause(first, causes) ? undefined : describeFinding(first);
}
