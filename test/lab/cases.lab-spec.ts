import { CASES } from './cases/cases.js';
import { checkCase, type CaseVerdict } from './check-case.js';
import { listLabNamespaces, withLab } from './netns/lab-namespaces.js';
import { whyNoLab } from './netns/why-no-lab.js';
import { runCase } from './run-case.js';

// `npm test` makes one healthy and one broken cluster; `npm run lab` makes all.
const cases = process.env.HOPSCOPE_LAB === 'short' ? CASES.slice(0, 2) : CASES;

const reason = whyNoLab();
const describeLab = reason === undefined ? describe : describe.skip;

describeLab(`the engine against the kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  it.each(cases)(
    '$name: $title',
    async (labCase) => {
      const verdict = await withLab(async () => checkCase(labCase, await runCase(labCase)));

      expect(verdict).toEqual<CaseVerdict>({
        connections: expect.any(Number),
        wrongCase: [],
        disagreements: [],
        wrongAnswers: [],
      });
      expect(verdict.connections).toBeGreaterThan(50);
      expect(await listLabNamespaces()).toEqual([]);
    },
    60_000,
  );
});
