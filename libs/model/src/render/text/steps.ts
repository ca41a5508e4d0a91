import type { Diagnosis } from '../../diagnosis.js';
import { describePacket } from '../../packet.js';
import { describePlace } from '../../place.js';
import type { Trace } from '../../trace.js';
import { share } from './branches.js';

/** Every step of every trace, with the line of the snapshot that decided it. */
export function stepLines({ forward, reply }: Diagnosis): string[][] {
  return [...forward.map((trace) => traceLines('request', trace)), ...reply.map((trace) => traceLines('reply', trace))];
}

function traceLines(direction: string, trace: Trace): string[] {
  const lines = [`${direction} (${share(trace.probability).trim()}): ${trace.disposition}`];
  for (const hop of trace.hops) {
    lines.push(`  ${describePlace(hop.at)}${remark(hop.hypothetical)}`);
    for (const step of hop.steps) {
      lines.push(`    ${step.kind.padEnd(11)} ${step.text}${remark(step.hypothetical)}`);
      if (step.evidence !== undefined) lines.push(`                ${step.evidence.locator}: ${step.evidence.text}`);
      if (step.after !== undefined && step.before !== undefined)
        lines.push(`                now ${describePacket(step.after)}`);
    }
  }
  return lines;
}

function remark(hypothetical: true | undefined): string {
  return hypothetical === true ? ' (if the obstacle were removed)' : '';
}
