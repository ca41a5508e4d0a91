import { countReport } from './run-project.mjs';

describe('countReport', () => {
  it('counts a suite that could not be loaded as a failure and names what was skipped', () => {
    const report = {
      numPassedTests: 2,
      numFailedTests: 1,
      numRuntimeErrorTestSuites: 1,
      testResults: [
        {
          assertionResults: [
            { status: 'passed', fullName: 'a works' },
            { status: 'pending', fullName: 'b on redis' },
            { status: 'todo', fullName: 'c' },
          ],
        },
      ],
    };

    expect(countReport(report)).toEqual({ passed: 2, failed: 2, skipped: ['b on redis', 'c'] });
  });
});
