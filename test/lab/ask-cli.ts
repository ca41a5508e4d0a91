import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SUSPICION_CODES, type SuspicionCode } from '#libs/model';
import { z } from 'zod';
import { runCli } from '../../apps/cli/src/run-cli.js';
import type { LabPair } from './cases/pairs.js';

const Place = z.object({
  kind: z.string(),
  namespace: z.string().optional(),
  name: z.string(),
  interface: z.string().optional(),
});

const Code = z.string().refine((text): text is SuspicionCode => text in SUSPICION_CODES, 'is no code of a suspicion');

/** What stops the packet, as a program reads it. */
const Finding = z.object({
  code: Code,
  subject: Place,
  evidence: z.array(z.object({ at: Place, locator: z.string(), text: z.string() })),
});
export type Finding = z.output<typeof Finding>;

// Only the fields that docs/reference promises to programs.
const Line = z.union([
  z.object({ id: z.string(), error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({
    id: z.string(),
    verdict: z.string(),
    symptom: z.string(),
    branches: z.array(
      z.object({ symptom: z.string(), backend: z.string().optional(), sourceSeen: z.string().nullable() }),
    ),
    blocking: z.array(Finding),
    suspicions: z.array(z.object({ code: z.string(), level: z.string() })),
    skipped: z.array(z.object({ code: z.string(), reason: z.string() })),
  }),
]);

export type Answer =
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'diagnosis';
      readonly verdict: string;
      readonly symptom: string;
      readonly branches: readonly {
        readonly symptom: string;
        readonly backend?: string;
        readonly sourceSeen: string | null;
      }[];
      readonly blocking: readonly Finding[];
      /** Suspicions above `info`. */
      readonly alarms: readonly string[];
      /** What was not looked at, or could not be decided. */
      readonly skipped: readonly string[];
    };

/** What `hopscope diagnose --pairs -` answers to all pairs, by their id. */
export async function askCli(snapshotPath: string, pairs: readonly LabPair[]): Promise<ReadonlyMap<string, Answer>> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const input = pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('');
  const [printed, complaints] = [text(stdout), text(stderr)];
  const status = await runCli(['diagnose', '--snapshot', snapshotPath, '--pairs', '-', '-o', 'jsonl'], {
    stdin: Readable.from([input]),
    stdout,
    stderr,
    env: {},
    signal: new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  if (status === 2 || status > 3) throw new Error(`lab: hopscope ended with ${status}: ${await complaints}`);
  const lines = (await printed).split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => answerOf(Line.parse(JSON.parse(line)))));
}

function answerOf(line: z.output<typeof Line>): [string, Answer] {
  if ('error' in line) return [line.id, { kind: 'error', ...line.error }];
  const { id, verdict, symptom, branches, blocking, suspicions } = line;
  const skipped = line.skipped.map(({ code, reason }) => `${code}: ${reason}`);
  const alarms = suspicions.filter(({ level }) => level !== 'info').map(({ code }) => code);
  return [id, { kind: 'diagnosis', verdict, symptom, branches, blocking, alarms, skipped }];
}
