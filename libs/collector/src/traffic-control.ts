import type { CommandRunner } from './command.js';
import type { DumpedFile } from './dump-namespace.js';

const FILE = 'tc.txt';

/** tc.txt: the qdiscs, and for devices with clsact (or ingress) the filters that hang there. */
export async function dumpTrafficControl(run: CommandRunner): Promise<DumpedFile> {
  const qdiscs = await run(['tc', 'qdisc', 'show']);
  if (qdiscs.status === null) return { file: FILE, notes: ['tc is not installed'] };
  if (qdiscs.status !== 0)
    return { file: FILE, notes: [...lines(qdiscs.stderr), `tc ended with status ${qdiscs.status}`] };
  let text = qdiscs.stdout;
  const notes = lines(qdiscs.stderr);
  for (const device of devicesWithFilters(qdiscs.stdout))
    for (const direction of ['ingress', 'egress']) {
      const filters = await run(['tc', 'filter', 'show', 'dev', device, direction]);
      notes.push(...lines(filters.stderr));
      if (filters.status !== 0) return { file: FILE, notes: [...notes, `filters of ${device} could not be listed`] };
      text += filters.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => `dev ${device} ${direction}: ${line}\n`)
        .join('');
    }
  return { file: FILE, text, notes };
}

function devicesWithFilters(qdiscs: string): readonly string[] {
  const devices = [...qdiscs.matchAll(/^qdisc (?:clsact|ingress) \S+ dev (\S+)/gm)].map((match) => match[1] ?? '');
  return [...new Set(devices)].filter((device) => device !== '');
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
