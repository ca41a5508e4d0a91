// `node dist/test/golden/keep-case.js NAME ARCHIVE SOURCE DESTINATION PORT PROTOCOL SYMPTOM...`: keeps a snapshot of the full lab
// (npm run lab:full -- --keep DIR) as a golden; SYMPTOM is what the kernel did there, as the case's truth.json says.
// `node dist/test/golden/keep-case.js --drop NAME` forgets it.
import { join } from 'node:path';
import { SYMPTOMS } from '#libs/model';
import { readSnapshot } from '#libs/snapshot-archive';
import { z } from 'zod';
import { KeptPair, readKeptCases, writeKeptCases } from './kept-cases.js';

// dist/test/golden/keep-case.js
const root = join(import.meta.dirname, '..', '..', '..');
const Name = z.string().regex(/^[a-z0-9.-]+$/, 'NAME is made of small letters, digits, dots and dashes');
const Kernel = z.array(z.enum(SYMPTOMS)).min(1, 'name what the kernel did');

const [first, second = '', source, destination, port, protocol, ...symptoms] = process.argv.slice(2);
const drops = first === '--drop';
const name = Name.parse(drops ? second : first);
const others = readKeptCases(root).filter((one) => one.name !== name);
if (drops) writeKeptCases(root, others);
else {
  const pair = KeptPair.parse({ source, destination, port: Number(port), protocol });
  const kernel = Kernel.parse(symptoms);
  writeKeptCases(root, [...others, { name, pair, kernel, snapshot: await readSnapshot(second) }]);
}
