import { linkCauses } from '../../causes.js';
import type { Diagnosis } from '../../diagnosis.js';
import { describeLocator, type Evidence } from '../../evidence.js';
import { describePlace } from '../../place.js';
import type { Suspicion } from '../../suspicion.js';

/** Findings by fingerprint, as the text numbers them: what stops the packet first, in path order. */
export type Numbers = ReadonlyMap<string, number>;

/** The number of lines of evidence that a terminal is filled with; -o json has all. */
const MOST_EVIDENCE = 6;

/** Two findings that say the same have the same number, and are shown once. */
export function numberFindings({ blocking, suspicions }: Diagnosis): Numbers {
  const others = suspicions.filter((suspicion) => !suspicion.blocking);
  const byText = new Map<string, number>();
  const numbers = new Map<string, number>();
  for (const { fingerprint, code, message } of [...blocking, ...others]) {
    const text = `${code} ${message}`;
    const number = byText.get(text) ?? byText.size + 1;
    byText.set(text, number);
    numbers.set(fingerprint, number);
  }
  return numbers;
}

/** What stops the packet, then what else looks wrong; one section each. */
export function whyLines({ blocking, suspicions, verdict }: Diagnosis, numbers: Numbers): string[][] {
  const causes = linkCauses(suspicions);
  const shown = new Set<number>();
  const isNew = ({ fingerprint }: Suspicion): boolean => {
    const number = numbers.get(fingerprint) ?? 0;
    return !shown.has(number) && shown.add(number).has(number);
  };
  const obstacles = blocking.filter(isNew);
  const others = suspicions.filter((suspicion) => !suspicion.blocking).filter(isNew);
  const roots = obstacles.filter(({ fingerprint }) => !causes.has(fingerprint));
  const show = (suspicion: Suspicion): string[] => findingLines(suspicion, numbers, causes);
  return [
    obstacles.length === 0 ? [] : [title(roots.length), ...obstacles.flatMap(show)],
    others.length === 0 ? [] : [verdict === 'reachable' ? 'worth a look:' : 'also:', ...others.flatMap(show)],
  ];
}

function title(count: number): string {
  return count < 2 ? 'why:' : `why (${count} obstacles in the order in which the packet meets them; all have to go):`;
}

function findingLines(suspicion: Suspicion, numbers: Numbers, causes: ReadonlyMap<string, Suspicion>): string[] {
  const { code, level, message, remedy, fingerprint, evidence, blocking } = suspicion;
  const cause = causes.get(fingerprint);
  const lines = [`  ${numbers.get(fingerprint) ?? 0}. ${blocking ? '' : `${level}: `}${code}: ${message}`];
  // A symptom needs no change of its own; that of a cause further down is what the reader looks for here.
  if (cause !== undefined) {
    const [number = 0, own = 0] = [numbers.get(cause.fingerprint), numbers.get(fingerprint)];
    lines.push(`     because of ${number}: goes away with ${cause.code}`);
    return number < own ? lines : [...lines, `     change: ${cause.remedy}`];
  }
  if (remedy !== '') lines.push(`     change: ${remedy}`);
  const shown = [...new Set(evidence.filter(({ text }) => !repeats(message, text)).map(describeEvidence))];
  for (const text of shown.slice(0, MOST_EVIDENCE)) lines.push(`     seen: ${text}`);
  if (shown.length > MOST_EVIDENCE) lines.push(`     seen: and ${shown.length - MOST_EVIDENCE} more (-o json)`);
  return lines;
}

/** What the message says word by word need not be said twice. */
function repeats(message: string, text: string): boolean {
  return text !== '' && message.includes(text);
}

function describeEvidence(evidence: Evidence): string {
  const { kind, at, locator, text } = evidence;
  // A setting is its own locator.
  if (kind === 'sysctl' && text.startsWith(locator)) return `${describePlace(at)}: ${text}`;
  return `${describePlace(at)}: ${describeLocator(evidence)}: ${text}`;
}
