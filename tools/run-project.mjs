import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './run-child.mjs';

/** What jest's JSON report says, in our words. Suites that could not even be loaded count as one failure each. */
export function countReport(report) {
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const skipped = report.testResults.flatMap((suite) =>
    suite.assertionResults
      .filter((test) => test.status === 'pending' || test.status === 'todo')
      .map((test) => test.fullName),
  );
  return { passed: report.numPassedTests, failed, skipped };
}

/**
 * Runs one jest project and counts. A run that ends without a report, without a test (unless the caller asked for certain
 * files only) or with an exit code that its report does not explain counts as a failure.
 */
export async function runProject(root, project, filters, { timeoutMs, args = [], env = {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-test-'));
  const reportPath = join(folder, 'report.json');
  const narrowed = filters.length > 0 ? ['--passWithNoTests'] : [];
  // A busy machine is no failure.
  const patience = ['--testTimeout=30000'];
  try {
    const done = await runChild(
      process.execPath,
      [
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        ...[
          '--selectProjects',
          project,
          '--json',
          `--outputFile=${reportPath}`,
          ...patience,
          ...narrowed,
          ...args,
          ...filters,
        ],
      ],
      { cwd: root, env: { ...process.env, ...env }, timeoutMs },
    );
    const nothing = { passed: 0, failed: 1, skipped: [] };
    if (done.code === 124)
      return { ...nothing, problem: `${project}: not finished after ${timeoutMs / 60_000} minutes` };
    if (!existsSync(reportPath))
      return { ...nothing, problem: `${project}: jest ended with code ${done.code} and no report` };
    const counts = countReport(JSON.parse(readFileSync(reportPath, 'utf8')));
    if (done.code !== 0 && counts.failed === 0)
      return { ...counts, failed: 1, problem: `${project}: jest ended with code ${done.code}` };
    if (counts.passed === 0 && counts.failed === 0 && filters.length === 0)
      return { ...counts, failed: 1, problem: `${project}: there are no tests` };
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
