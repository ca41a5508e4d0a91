import { setImmediate as nextTurn } from 'node:timers/promises';
import { HopscopeError, parsePair, type Diagnosis } from '#libs/model';
import type { Network } from '#libs/provider-kit';
import { z } from 'zod';
import type { Outcome } from '../exit-code.js';
import { formatText, formatYaml, type Look, type StreamFormat } from '../output/formats.js';
import type { Writer } from '../output/writer.js';
import type { InputLine } from './read-lines.js';

/** One answer: a diagnosis, or what is wrong with the line. `id` is as given, null without one. */
type Answer =
  | { readonly id: string | number | null; readonly diagnosis: Diagnosis }
  | {
      readonly id: string | number | null;
      readonly line: number;
      readonly error: { readonly code: string; readonly message: string };
    };

interface AnswerOptions {
  readonly network: Network;
  readonly writer: Writer;
  readonly outcome: Outcome;
  readonly format: StreamFormat;
  readonly look: Look;
  readonly signal: AbortSignal;
  /** Called after each answer. */
  readonly onAnswer: () => void;
}

const LineWithId = z.object({ id: z.union([z.string().max(256), z.number()]) });
const TURN_MS = 20;

/** Answers line by line, in order, with one pair in memory at a time. */
export async function answerPairs(lines: AsyncIterable<InputLine>, options: AnswerOptions): Promise<void> {
  const { writer, outcome, signal, onAnswer } = options;
  let turned = performance.now();
  for await (const line of lines) {
    // The walk is synchronous: without a break a signal would be heard only at the end.
    if (performance.now() - turned > TURN_MS) {
      await nextTurn();
      turned = performance.now();
    }
    signal.throwIfAborted();
    const answer = await answerLine(line, options);
    await writer.write(await formatAnswer(answer, options), outcome.code());
    onAnswer();
  }
}

async function answerLine(line: InputLine, { network, outcome, signal }: AnswerOptions): Promise<Answer> {
  let id: string | number | null = null;
  try {
    if (line.kind === 'too-long') throw new HopscopeError('LINE_TOO_LONG', 'the line is too long to be a pair');
    const json = parseLine(line.text);
    // Even a line that is wrong otherwise is answered under its own id.
    id = LineWithId.safeParse(json).data?.id ?? null;
    const diagnosis = await network.diagnose(parsePair(json), signal);
    outcome.note(diagnosis.verdict);
    return { id, diagnosis };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HopscopeError) {
      outcome.noteBadLine();
      return { id, line: line.number, error: { code: error.code, message: error.message } };
    }
    // A defect on one pair must not cost the user the answers to all others.
    outcome.noteDefect();
    const message = error instanceof Error ? error.message : String(error);
    return { id, line: line.number, error: { code: 'DEFECT', message: `hopscope could not answer: ${message}` } };
  }
}

function parseLine(text: string): unknown {
  if (text.trim() === '') throw new HopscopeError('BAD_JSON', 'the line is empty; write one JSON object a line');
  try {
    return JSON.parse(text);
  } catch {
    throw new HopscopeError('BAD_JSON', 'the line is not JSON; write one JSON object a line');
  }
}

async function formatAnswer(answer: Answer, { format, look }: AnswerOptions): Promise<string> {
  const value = 'diagnosis' in answer ? { id: answer.id, ...answer.diagnosis } : answer;
  switch (format) {
    case 'jsonl':
      return `${JSON.stringify(value)}\n`;
    case 'yaml':
      return `---\n${await formatYaml(value)}`;
    case 'text': {
      const title = answer.id === null ? '' : `${answer.id}: `;
      if (!('diagnosis' in answer))
        return `${title}line ${answer.line}: ${answer.error.code}: ${answer.error.message}\n\n`;
      return `${title}${formatText(answer.diagnosis, look)}\n`;
    }
  }
}
