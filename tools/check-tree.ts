// Looks over the tree for what no other tool sees. `node dist/tools/check-tree.js [ROOT]`; prints every problem, exit code 1 if there is one.
import { join } from 'node:path';
import { findTreeProblems } from './tree/find-tree-problems.js';

const root = process.argv[2] ?? join(import.meta.dirname, '..', '..');
const problems = findTreeProblems(root);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
