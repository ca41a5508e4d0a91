import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { HopscopeError } from '#libs/model';
import type { Network } from '#libs/provider-kit';
import { readSnapshot } from '#libs/snapshot-archive';
import { answerPairs } from '../diagnose/answer-pairs.js';
import { planDiagnose, type DiagnosePlan } from '../diagnose/plan.js';
import { readLines } from '../diagnose/read-lines.js';
import { Outcome } from '../exit-code.js';
import type { CliIo } from '../io.js';
import { wantsColour } from '../output/colour.js';
import { formatDiagnosis } from '../output/formats.js';
import { Progress } from '../output/progress.js';
import { Writer } from '../output/writer.js';
import { providers } from '../registry.js';

/** `hopscope diagnose`. `repeated`: flags that were given more than once. */
export async function runDiagnose(flags: unknown, repeated: readonly string[], io: CliIo): Promise<number> {
  const plan = planDiagnose(flags, repeated, providers);
  const { question } = plan;
  const outcome = new Outcome(plan.failOn);
  // Opened first: a wrong name should not show after a minute of reading the snapshot.
  const input = question.kind === 'many' ? await openPairs(question.path, io) : undefined;
  let answered = 0;
  let doing = 'reading the snapshot';
  const progress = new Progress(io, () => doing);
  try {
    const network = await loadNetwork(plan);
    io.signal.throwIfAborted();
    const writer = new Writer(io.stdout, io.signal);
    const look = { colours: wantsColour(io), steps: plan.verbose };
    doing = 'walking';
    if (question.kind === 'one') {
      const diagnosis = await network.diagnose(question.request, io.signal);
      io.signal.throwIfAborted();
      outcome.note(diagnosis.verdict);
      progress.stop();
      await writer.write(await formatDiagnosis(diagnosis, question.format, look), outcome.code());
    } else if (input !== undefined) {
      const onAnswer = () => {
        doing = `${(++answered).toLocaleString('en')} pairs answered`;
      };
      const { format } = question;
      await answerPairs(readLines(input), { network, writer, outcome, format, look, signal: io.signal, onAnswer });
      if (answered === 0) refusePairs(`"${question.path}" is empty; write one JSON object a line`);
    }
    return outcome.code();
  } finally {
    progress.stop();
    input?.destroy();
  }
}

async function loadNetwork({ snapshot, provider, overrides }: DiagnosePlan): Promise<Network> {
  const settings = provider.config.schema.safeParse({});
  if (!settings.success)
    throw new HopscopeError(
      'PROVIDER_SETTINGS_MISSING',
      `provider ${provider.name} needs settings: ${settings.error.message}`,
    );
  return provider.createNetwork({ snapshot: await readSnapshot(snapshot), settings: settings.data, overrides });
}

async function openPairs(path: string, io: CliIo): Promise<Readable> {
  if (path === '-') return addAbortSignal(io.signal, io.stdin);
  const file = await open(path).catch((error: NodeJS.ErrnoException) =>
    refusePairs(`"${path}" cannot be read (${error.code ?? error.message})`),
  );
  if ((await file.stat()).isDirectory()) {
    await file.close();
    return refusePairs(`"${path}" cannot be read (it is a directory)`);
  }
  return addAbortSignal(io.signal, file.createReadStream());
}

function refusePairs(message: string): never {
  throw new HopscopeError('USAGE', 'this cannot be done as it was asked:', {
    problems: [{ path: '--pairs', code: 'USAGE', message }],
  });
}
