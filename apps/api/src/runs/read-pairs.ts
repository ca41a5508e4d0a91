import { PairInput, parsePair, type InputProblem } from '#libs/model';
import type { AskedPair } from '#libs/persistence';
import { inputProblems, readLines, validationFailed } from '#libs/server';
import type { Readable } from 'node:stream';

const MAX_PROBLEMS = 1000;

/**
 * The pairs of an application/x-ndjson body, one a line. After the first bad line nothing more is given, but the rest is still
 * checked, so that every problem is told at once.
 */
export async function* readPairs(body: Readable, limitBytes: number): AsyncGenerator<AskedPair> {
  const problems: InputProblem[] = [];
  let index = 0;
  for await (const line of readLines(body, limitBytes)) {
    if (line.trim() === '') continue;
    const parsed = parseLine(line, `/pairs/${index}`);
    index++;
    if ('problems' in parsed) problems.push(...parsed.problems);
    else if (problems.length === 0) yield parsed.pair;
    if (problems.length >= MAX_PROBLEMS) break;
  }
  if (index === 0) problems.push({ path: '/pairs', code: 'TOO_SMALL', message: 'at least one pair is needed' });
  if (problems.length > 0) throw validationFailed(problems);
}

type ParsedLine = { readonly pair: AskedPair } | { readonly problems: readonly InputProblem[] };

function parseLine(line: string, at: string): ParsedLine {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not JSON';
    return { problems: [{ path: at, code: 'INVALID_JSON', message: `is not JSON: ${reason}` }] };
  }
  const problems = inputProblems(PairInput, json);
  if (problems.length === 0) return { pair: parsePair(json) };
  return {
    problems: problems.map((problem) => ({ ...problem, path: problem.path === '/' ? at : `${at}${problem.path}` })),
  };
}
