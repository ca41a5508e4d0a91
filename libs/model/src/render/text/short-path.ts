import type { Diagnosis } from '../../diagnosis.js';
import { formatEnd, type Packet } from '../../packet.js';
import { describePlace } from '../../place.js';
import type { Step } from '../../step.js';
import type { Hop, Trace } from '../../trace.js';
import { share } from './branches.js';
import type { Numbers } from './findings.js';
import { markHops, type Marks } from './marks.js';

/** More ways than these look all alike; --verbose and -o json have all. */
const MOST_TRACES = 4;

/** One line a hop: place, interfaces, what is done to the packet, and which obstacle stops it. */
export function shortPathLines(diagnosis: Diagnosis, numbers: Numbers): string[][] {
  const marks = markHops(diagnosis);
  const show = (name: string, traces: readonly Trace[]): string[][] => {
    const chosen = choose(traces);
    const sections = chosen.map((trace) =>
      traceLines(name, trace, traces.length > 1, (hop) => hopText(hop, marks, numbers)),
    );
    const left = traces.length - chosen.length;
    return left === 0 ? sections : [...sections, [`${name}: and ${left} more (--verbose)`]];
  };
  return [...show('request', diagnosis.forward), ...show('reply', diagnosis.reply)];
}

/** One of each outcome first, then the most probable. */
function choose(traces: readonly Trace[]): readonly Trace[] {
  const outcomes = new Map<string, Trace>();
  for (const trace of traces) if (!outcomes.has(trace.disposition)) outcomes.set(trace.disposition, trace);
  const chosen = new Set([...outcomes.values(), ...traces].slice(0, MOST_TRACES));
  return traces.filter((trace) => chosen.has(trace));
}

function traceLines(
  name: string,
  { hops, probability, disposition }: Trace,
  oneOfMany: boolean,
  text: (hop: Hop) => string,
): string[] {
  const width = Math.max(0, ...hops.map(({ at }) => describePlace(at).length));
  const begins = hops.findIndex(({ hypothetical }) => hypothetical === true);
  const chance = oneOfMany ? ` (${share(probability).trim()})` : '';
  const head =
    begins === 0 ? `${name}${chance}, once the way there is free: ${disposition}` : `${name}${chance}: ${disposition}`;
  const lines = [head];
  for (const [index, hop] of hops.entries()) {
    if (index === begins && index > 0) lines.push('  with that out of the way it would go on:');
    lines.push(`  ${describePlace(hop.at).padEnd(width)}  ${text(hop)}`.trimEnd());
  }
  return lines;
}

function hopText(hop: Hop, marks: Marks, numbers: Numbers): string {
  // Past an obstacle within the hop nothing happened; of a hop that is hypothetical as a whole everything is shown.
  const steps = hop.hypothetical === true ? hop.steps : hop.steps.filter(({ hypothetical }) => hypothetical !== true);
  const stops = marks.get(hop) ?? [];
  const verb = hop.hypothetical === true ? 'would be stopped' : 'stopped';
  const parts = [
    interfacesOf(steps),
    ...steps.flatMap((step) => shortStep(step, stops.length > 0)),
    ...(stops.length === 0
      ? []
      : [
          `${verb} by ${stops.map(({ fingerprint, code }) => `${numbers.get(fingerprint) ?? 0} (${code})`).join(', ')}`,
        ]),
  ];
  return [...new Set(parts.filter((part) => part !== ''))].join('; ');
}

function interfacesOf(steps: readonly Step[]): string {
  const first = steps.find(({ kind }) => kind === 'receive')?.interface;
  const last = steps.findLast(({ kind }) => kind === 'transmit')?.interface;
  return [first === undefined ? '' : `in ${first}`, last === undefined ? '' : `out ${last}`]
    .filter((text) => text !== '')
    .join(', ');
}

/** What changes the packet or ends its way; routes and rules that let it pass are for --verbose. */
function shortStep({ kind, text, before, after }: Step, stopped: boolean): string[] {
  switch (kind) {
    case 'translate':
      return before === undefined || after === undefined ? [text] : translations(before, after);
    case 'encapsulate':
    case 'decapsulate':
      return text.split(': ').slice(0, 1);
    case 'filter':
      // The obstacle says it better.
      return !stopped && /drop|reject/.test(text) ? [text] : [];
    case 'deliver':
    case 'infra':
    case 'service':
    case 'policy':
      return [text];
    default:
      return [];
  }
}

function translations(before: Packet, after: Packet): string[] {
  const changes: string[] = [];
  for (const [name, end] of [
    ['source', 'src'],
    ['destination', 'dst'],
  ] as const) {
    const [was, is] = [formatEnd(before, end), formatEnd(after, end)];
    if (was !== is) changes.push(`${name} ${was} becomes ${is}`);
  }
  return changes;
}
