import type { Target } from './attempt.js';
import { readCorpus } from './corpus.js';
import { diagnosisTarget } from './diagnosis-target.js';
import { libraryTargets } from './library-targets.js';
import { parserTargets } from './parser-targets.js';

export async function allTargets(root: string): Promise<readonly Target[]> {
  const corpus = await readCorpus(root);
  return [...parserTargets(corpus), ...libraryTargets(corpus), diagnosisTarget(corpus)];
}
