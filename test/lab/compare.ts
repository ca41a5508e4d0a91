import type { Expectation } from './cases/lab-case.js';
import type { Answer } from './ask-cli.js';
import type { Attempt } from './traffic/agents.js';

/** Where the kernel and what the case says about it disagree: then the case is wrong, or the lab is. */
export function compareWithExpectation(id: string, attempts: readonly Attempt[], expected: Expectation): string[] {
  const wrong = attempts.filter(({ outcome }) => outcome !== expected.symptom);
  return wrong.map((attempt) => `${id}: the case expects ${expected.symptom}, the kernel did: ${describe(attempt)}`);
}

/**
 * Where the kernel and the engine disagree. Each real connection must be one of the predicted branches; a branch that the
 * few attempts did not draw is no error.
 */
export function compareWithAnswer(id: string, attempts: readonly Attempt[], answer: Answer): string[] {
  if (answer.kind === 'error') return [`${id}: no answer: ${answer.code}: ${answer.message}`];
  if (answer.verdict === 'undetermined') {
    const observed = [...new Set(attempts.map(describe))].join(' | ');
    return [
      `${id}: the kernel did: ${observed}; undetermined: ${[...new Set(answer.skipped)].join('; ') || 'no reason'}`,
    ];
  }
  const unexpected = attempts.filter((attempt) => !answer.branches.some((branch) => isPredicted(attempt, branch)));
  const predicted = answer.branches
    .map((branch) =>
      describe({ outcome: branch.symptom, backend: branch.backend, source: branch.sourceSeen ?? undefined }),
    )
    .join(' | ');
  return [...new Set(unexpected.map(describe))].map(
    (observed) => `${id}: the kernel did: ${observed}; predicted (${answer.verdict}): ${predicted || 'nothing'}`,
  );
}

/** Where the engine and the case disagree in what only the engine knows: verdict and cause. */
export function compareAnswerWithExpectation(id: string, answer: Answer, expected: Expectation): string[] {
  if (answer.kind === 'error') return [];
  const problems: string[] = [];
  if (answer.verdict !== expected.verdict)
    problems.push(`${id}: the verdict is ${answer.verdict}, expected ${expected.verdict}`);
  if (answer.symptom !== expected.symptom)
    problems.push(`${id}: the symptom is ${answer.symptom}, expected ${expected.symptom}`);
  const cause = answer.blocking[0]?.code;
  if (cause !== expected.codes[0])
    problems.push(`${id}: the first cause is ${cause ?? 'none'}, expected ${expected.codes[0] ?? 'none'}`);
  return problems;
}

/** A healthy path in a healthy cluster has no warning: a false alarm is a defect like a missed fault. */
export function falseAlarms(id: string, answer: Answer): string[] {
  if (answer.kind === 'error' || answer.alarms.length === 0) return [];
  return [`${id}: nothing is wrong, but it is suspected of ${answer.alarms.join(', ')}`];
}

type Branch = Extract<Answer, { kind: 'diagnosis' }>['branches'][number];

function isPredicted(attempt: Attempt, branch: Branch): boolean {
  // A connection that is reset after its handshake is a refusal (RST), and a first datum that never arrives as well.
  if (attempt.outcome === 'reset') return branch.symptom === 'refused' || branch.symptom === 'timeout';
  if (attempt.outcome !== branch.symptom) return false;
  if (attempt.outcome !== 'connected') return true;
  const backends = [attempt.backend, ...(attempt.backends ?? [])];
  return backends.includes(branch.backend) && attempt.source === branch.sourceSeen;
}

function describe({ outcome, backend, source }: Attempt): string {
  return backend === undefined ? outcome : `${outcome} to ${backend} seen from ${source}`;
}
