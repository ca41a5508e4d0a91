import type { Answer } from './ask-cli.js';
import { compareAnswerWithExpectation, compareWithAnswer, compareWithExpectation, falseAlarms } from './compare.js';

const A = { symptom: 'connected', backend: '10.244.1.2:8080', sourceSeen: '10.244.1.3' };
const B = { symptom: 'connected', backend: '10.244.2.2:8080', sourceSeen: '10.10.0.11' };
const LOST = { symptom: 'timeout', sourceSeen: null };
const REACHED = { outcome: 'connected', backend: A.backend, source: A.sourceSeen };

function diagnosis(branches: readonly (typeof A | typeof LOST)[], more: object = {}): Answer {
  return {
    kind: 'diagnosis',
    verdict: 'reachable',
    symptom: 'connected',
    branches,
    blocking: [],
    alarms: [],
    skipped: [],
    ...more,
  };
}

describe('compareWithAnswer', () => {
  it.each([
    { title: 'the very branch', attempt: REACHED, answer: diagnosis([A]), agrees: true },
    { title: 'one of several branches', attempt: REACHED, answer: diagnosis([B, A]), agrees: true },
    { title: 'a time-out among them', attempt: { outcome: 'timeout' }, answer: diagnosis([A, LOST]), agrees: true },
    { title: 'another backend', attempt: REACHED, answer: diagnosis([B]), agrees: false },
    { title: 'another source', attempt: { ...REACHED, source: '10.244.1.1' }, answer: diagnosis([A]), agrees: false },
    { title: 'another outcome', attempt: { outcome: 'refused' }, answer: diagnosis([LOST]), agrees: false },
    {
      title: 'the very branch of an undetermined answer',
      attempt: REACHED,
      answer: diagnosis([A], { verdict: 'undetermined' }),
      agrees: false,
    },
    { title: 'no branch', attempt: REACHED, answer: diagnosis([]), agrees: false },
    {
      title: 'no answer',
      attempt: REACHED,
      answer: { kind: 'error', code: 'X', message: 'y' } as const,
      agrees: false,
    },
  ])('$title', ({ attempt, answer, agrees }) => {
    expect(compareWithAnswer('pair', [attempt], answer).length === 0).toBe(agrees);
  });
});

describe('what a case expects', () => {
  const expected = { verdict: 'unreachable', symptom: 'timeout', codes: ['FILTER_DROP'] } as const;
  const found = { verdict: 'unreachable', symptom: 'timeout' };
  const FOUND = { code: 'FILTER_DROP', subject: { kind: 'node', name: 'node1' }, evidence: [] };
  const right = diagnosis([LOST], { ...found, blocking: [FOUND] });

  it('is compared with the kernel', () => {
    expect(compareWithExpectation('pair', [{ outcome: 'timeout' }], expected)).toEqual([]);
    expect(compareWithExpectation('pair', [{ outcome: 'timeout' }, REACHED], expected)).toHaveLength(1);
  });

  it('is compared with verdict, symptom and first cause', () => {
    expect(compareAnswerWithExpectation('pair', right, expected)).toEqual([]);
    expect(compareAnswerWithExpectation('pair', diagnosis([LOST], found), expected)).toHaveLength(1);
    expect(compareAnswerWithExpectation('pair', diagnosis([A]), expected)).toHaveLength(3);
  });

  it('leaves no room for alarms where nothing is wrong', () => {
    expect(falseAlarms('pair', diagnosis([A]))).toEqual([]);
    expect(falseAlarms('pair', diagnosis([A], { alarms: ['MTU_MISMATCH'] }))).toHaveLength(1);
  });
});
