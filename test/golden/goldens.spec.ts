import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listGoldenFiles, makeGoldens, type Golden } from './goldens.js';

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
