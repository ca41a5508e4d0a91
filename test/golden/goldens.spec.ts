import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUSPICION_HOLES } from '#libs/model';
import { listGoldenFiles, makeGoldens, type Golden } from './goldens.js';
import { readKeptCases } from './kept-cases.js';
import { findBreaches } from './result-rules.js';
import { diagnosePair, networkOf } from './samples.js';

const ROOT = join(import.meta.dirname, '..', '..');

describe('whole diagnoses', () => {
  let made: ReadonlyMap<string, Golden>;

  beforeAll(async () => {
    made = new Map((await makeGoldens(ROOT)).map((golden) => [golden.path, golden]));
  });

  it('have a file each, and no file is left over', () => {
    expect(listGoldenFiles(ROOT)).toEqual([...made.keys()].toSorted());
  });

  it.each(listGoldenFiles(ROOT))(
    '%s is what the engine answers (if this is a change you want: npm run goldens:update)',
    (path) => {
      expect(made.get(path)?.text).toBe(readFileSync(join(ROOT, path), 'utf8'));
    },
  );
});

describe('kept cases of the lab', () => {
  it.each(readKeptCases(ROOT).map((one) => ({ name: one.name, one })))(
    '$name: the client sees what it saw on Linux, and no rule of results is broken',
    async ({ one: { snapshot, pair, kernel } }) => {
      const diagnosis = await diagnosePair(await networkOf(snapshot), pair);

      expect(new Set(diagnosis.branches.map(({ symptom }) => symptom))).toEqual(new Set(kernel));
      expect(findBreaches(diagnosis)).toEqual([]);
    },
  );
});

describe('the texts of all goldens', () => {
  const texts = listGoldenFiles(ROOT)
    .filter((path) => path.endsWith('.txt'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

  it.each(texts)('$path has no hole that nobody filled', ({ text }) => {
    const holes = Object.keys(SUSPICION_HOLES).filter(
      (name) => text.includes(`<${name}>`) || text.includes(`{${name}}`),
    );

    expect(holes).toEqual([]);
    expect(text).not.toMatch(/ \?(?=[ .,:)]|$)|undefined|NaN|\[object/m);
  });

  it.each(texts.filter(({ text }) => /^(UNREACHABLE|PARTIAL)/m.test(text)))(
    '$path says what stops the packet and what to change',
    ({ text }) => {
      expect(text).toMatch(/^why.*:\n {2}1\. [A-Z_]+: .+\n(?: {5}because of .+\n)? {5}change: .+/m);
    },
  );
});
