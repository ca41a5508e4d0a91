import { SUSPICION_CODES, type SuspicionCode } from '#libs/model';
import { podNetnsName } from '../cluster/names.js';
import type { Finding } from '../ask-cli.js';

/** What a person must fix, and how the answer has to name it. */
export interface Cause {
  /** Each of them names it. */
  readonly codes: readonly SuspicionCode[];
  /** The lab's namespace that is to be repaired. */
  readonly at: string;
  /** What subject or evidence must say: an interface, a table, a rule, an address. One of those that are divided by ` | `. */
  readonly shows: readonly string[];
}

/** `codes` with spaces between. */
export function cause(codes: string, at: string, ...shows: readonly string[]): Cause {
  return { codes: codes.split(' ').filter(isCode), at, shows };
}

/**
 * A route or rule for what is sent. The check of reverse paths asks the same tables (fib_validate_source), so it may be what
 * stops a packet that comes from there: it names the cause when it shows that very route or rule.
 */
export function routeCauses(codes: string, at: string, ...shows: readonly string[]): readonly Cause[] {
  return [cause(codes, at, ...shows), cause('RP_FILTER_DROP', at, ...shows)];
}

/** Whether what stops the packet first is what was broken: right code, right place, right thing. */
export function namesCause(finding: Finding, causes: readonly Cause[]): boolean {
  const said = wordsOf(finding);
  return causes.some(
    ({ codes, at, shows }) =>
      codes.includes(finding.code) &&
      placesOf(finding).includes(at) &&
      shows.every((wanted) => wanted.split(' | ').some((word) => said.includes(word))),
  );
}

/** `ROUTE_BLACKHOLE node1 main/10.244.2.0/24` for the report. */
export function describeFinding({ code, subject, evidence }: Finding): string {
  const place = subject.namespace === undefined ? subject.name : `${subject.namespace}/${subject.name}`;
  const device = subject.interface === undefined ? '' : ` ${subject.interface}`;
  return `${code} ${place}${device} ${evidence[0]?.locator ?? ''}`.trimEnd();
}

export function describeCause({ codes, at, shows }: Cause): string {
  return `${codes.join(' or ')} ${at} ${shows.join(' and ')}`.trimEnd();
}

function placesOf({ subject, evidence }: Finding): readonly string[] {
  return [subject, ...evidence.map(({ at }) => at)].map(({ namespace, name }) =>
    namespace === undefined ? name : podNetnsName({ namespace, name }),
  );
}

function wordsOf({ subject, evidence }: Finding): string {
  const lines = evidence.flatMap(({ at, locator, text }) => [at.interface ?? '', locator, text]);
  return [subject.interface ?? '', ...lines].join('\n');
}

function isCode(text: string): text is SuspicionCode {
  if (text in SUSPICION_CODES) return true;
  throw new Error(`lab: ${text} is no code of a suspicion`);
}
