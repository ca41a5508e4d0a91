import fc from 'fast-check';
import type { NamespaceDump, Snapshot } from '#libs/model';
import { DUMP_FILES } from './dump-files.js';
import { readSnapshotArchive } from './read-archive.js';
import { writeSnapshotArchive } from './write-archive.js';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const file = fc.constantFrom(...[...DUMP_FILES].filter((name) => name !== 'meta.json'));
// A lone surrogate has no UTF-8, and a leading byte order mark is not text.
const text = fc.string({ unit: 'grapheme' });
const files = fc.dictionary(file, text, { noNullPrototype: true }).map((record) => new Map(Object.entries(record)));
const dump: fc.Arbitrary<NamespaceDump> = fc.oneof(
  fc.record({ kind: fc.constant('node' as const), name: label, files }),
  fc.record({ kind: fc.constant('external' as const), name: label, files }),
  fc.record({ kind: fc.constant('pod' as const), namespace: label, name: label, node: label, files }),
);
const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  cluster: label,
  takenAt: fc.constant('2026-11-23T18:00:00Z'),
  collector: fc.constant('spec'),
  nodes: fc
    .dictionary(label, fc.record({ error: fc.option(text, { nil: null }) }), { noNullPrototype: true })
    .map((record) => new Map(Object.entries(record))),
  objects: fc.option(
    fc.array(
      fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('Pod'), metadata: fc.record({ name: label }) }),
    ),
    { nil: undefined },
  ),
  cloud: fc.option(fc.constant({ routes: [] }), { nil: undefined }),
  underlay: fc.option(fc.constant({ unknown: 'lost' }), { nil: undefined }),
  dumps: fc.uniqueArray(dump, { selector: keyOf }),
});

function keyOf(item: NamespaceDump): string {
  return `${item.kind}/${item.namespace}/${item.name}`;
}

/** What is compared: the order of dumps is free, and meta.json is made from the other fields. */
function normal(value: Snapshot): unknown {
  const dumps = value.dumps
    .map((item) => ({
      ...item,
      files: Object.fromEntries([...item.files].filter(([name]) => name !== 'meta.json')),
    }))
    .toSorted((a, b) =>
      JSON.stringify([a.kind, a.namespace, a.name]) < JSON.stringify([b.kind, b.namespace, b.name]) ? -1 : 1,
    );
  return { ...value, nodes: Object.fromEntries(value.nodes), dumps };
}

describe('writeSnapshotArchive', () => {
  it('writes what the reader gives back', async () => {
    await fc.assert(
      fc.asyncProperty(snapshot, async (value) => {
        const back = await readSnapshotArchive(await writeSnapshotArchive(value));

        expect(normal(back)).toEqual(normal(value));
      }),
      { numRuns: 40 },
    );
  });

  it('gives equal bytes whatever the order of dumps and files', async () => {
    await fc.assert(
      fc.asyncProperty(snapshot, async (value) => {
        const turned: Snapshot = {
          ...value,
          dumps: value.dumps.toReversed().map((item) => ({ ...item, files: new Map([...item.files].toReversed()) })),
        };

        const [a, b] = [await writeSnapshotArchive(value), await writeSnapshotArchive(turned)];

        expect(Buffer.compare(a, b)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it.each<{ title: string; change: Partial<Snapshot>; code: string }>([
    {
      title: 'a Secret',
      change: { objects: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }] },
      code: 'SNAPSHOT_HAS_SECRET',
    },
    {
      title: 'a name that leads elsewhere',
      change: { dumps: [{ kind: 'node', name: '../x', files: new Map([['tc.txt', '']]) }] },
      code: 'SNAPSHOT_FOLDER_NAME',
    },
    {
      title: 'an unknown file',
      change: { dumps: [{ kind: 'node', name: 'n1', files: new Map([['shadow', '']]) }] },
      code: 'SNAPSHOT_UNKNOWN_FILE',
    },
  ])('refuses to write $title', async ({ change, code }) => {
    const value: Snapshot = {
      cluster: 'c',
      takenAt: '2026-11-23T18:00:00Z',
      collector: 'spec',
      nodes: new Map(),
      objects: undefined,
      cloud: undefined,
      underlay: undefined,
      dumps: [],
      ...change,
    };

    await expect(writeSnapshotArchive(value)).rejects.toMatchObject({ code });
  });
});
