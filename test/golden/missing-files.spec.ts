import { join } from 'node:path';
import { findBreaches } from './result-rules.js';
import { diagnosePair, listSamples, networkOf, readSample } from './samples.js';

const ROOT = join(import.meta.dirname, '..', '..');

/** Files that a walk may do without; all others it must miss aloud. */
const OPTIONAL = /^(proc-|meta|stderr|tc\.txt|bridge-vlan|conntrack|ipvsadm)/;

/** The places whose files are taken away, one at a time: together they have every part that a walk reads. */
const PLACES = ['node1', 'client-0', 'web-1'];

describe('a snapshot that lacks a file', () => {
  it('never gives another verdict than the true one or undetermined', async () => {
    const sample = listSamples(ROOT).find(({ name }) => name === 'healthy');
    if (sample === undefined) throw new Error('there is no sample named healthy');
    const snapshot = await readSample(ROOT, sample);
    const wrong: string[] = [];
    for (const dump of snapshot.dumps.filter(({ name }) => PLACES.includes(name)))
      for (const file of [...dump.files.keys()].filter((name) => !OPTIONAL.test(name))) {
        const without = { ...dump, files: new Map([...dump.files].filter(([name]) => name !== file)) };
        const network = await networkOf({
          ...snapshot,
          dumps: snapshot.dumps.map((one) => (one === dump ? without : one)),
        });
        for (const pair of sample.pairs) {
          const diagnosis = await diagnosePair(network, pair);
          const lies = diagnosis.verdict !== pair.expect.verdict && diagnosis.verdict !== 'undetermined';
          if (lies) wrong.push(`${dump.name} without ${file}, pair ${String(pair.id)}: ${diagnosis.verdict}`);
          wrong.push(...findBreaches(diagnosis).map((breach) => `${dump.name} without ${file}: ${breach}`));
        }
      }

    expect([...new Set(wrong)]).toEqual([]);
  });
});
