import type { Diagnosis } from '../diagnosis.js';
import { describeEndpoint } from '../endpoint.js';
import { describePacket } from '../packet.js';
import { describePlace } from '../place.js';
import type { Suspicion } from '../suspicion.js';
import type { Trace } from '../trace.js';

/** The diagnosis as plain text for a terminal: the answer first, then causes, branches, hops, and what was not looked at. */
export function renderText(diagnosis: Diagnosis): string {
  const lines = [
    `${describeEndpoint(diagnosis.source)} -> ${describeEndpoint(diagnosis.destination)} ${diagnosis.protocol}/${diagnosis.port}`,
    `${diagnosis.verdict.toUpperCase()}, the client sees: ${diagnosis.symptom}`,
  ];
  for (const suspicion of diagnosis.blocking) lines.push('', ...suspicionLines('cause', suspicion));
  const others = diagnosis.suspicions.filter((suspicion) => !suspicion.blocking);
  for (const suspicion of others) lines.push('', ...suspicionLines(suspicion.level, suspicion));
  if (diagnosis.branches.length > 1) lines.push('', 'branches:', ...branchLines(diagnosis));
  lines.push(...traceLines('request', diagnosis.forward), ...traceLines('reply', diagnosis.reply));
  if (diagnosis.assumptions.length > 0) lines.push('', 'assumed:', ...diagnosis.assumptions.map((text) => `  ${text}`));
  if (diagnosis.skipped.length > 0) lines.push('', 'not looked at:');
  for (const { code, reason, at } of diagnosis.skipped)
    lines.push(`  ${code}${at === undefined ? '' : ` at ${describePlace(at)}`}: ${reason}`);
  return `${lines.join('\n')}\n`;
}

function suspicionLines(title: string, suspicion: Suspicion): string[] {
  const lines = [`${title}: ${suspicion.code}: ${suspicion.message}`];
  for (const evidence of suspicion.evidence)
    lines.push(`  evidence: ${describePlace(evidence.at)}: ${evidence.locator}: ${evidence.text}`);
  if (suspicion.remedy !== '') lines.push(`  remedy: ${suspicion.remedy}`);
  return lines;
}

function branchLines(diagnosis: Diagnosis): string[] {
  return diagnosis.branches.map((branch) => {
    const target = branch.backend === undefined ? `ends at ${describePlace(branch.at)}` : `to ${branch.backend}`;
    return `  ${(branch.probability * 100).toFixed(1)} % ${target}: ${branch.symptom} (${branch.disposition})`;
  });
}

function traceLines(direction: string, traces: readonly Trace[]): string[] {
  const lines: string[] = [];
  for (const trace of traces) {
    lines.push('', `${direction} (${(trace.probability * 100).toFixed(1)} %): ${trace.disposition}`);
    for (const hop of trace.hops) {
      lines.push(`  ${describePlace(hop.at)}${hop.hypothetical ? ' (if the obstacle were removed)' : ''}`);
      for (const step of hop.steps) {
        lines.push(
          `    ${step.kind.padEnd(9)} ${step.text}${step.hypothetical ? ' (if the obstacle were removed)' : ''}`,
        );
        if (step.evidence !== undefined) lines.push(`              ${step.evidence.locator}: ${step.evidence.text}`);
        if (step.after !== undefined && step.before !== undefined)
          lines.push(`              now ${describePacket(step.after)}`);
      }
    }
  }
  return lines;
}
