// test/dumps and test/fuzz, with the settings of the e2e project: `npx jest -c test/fuzz/jest.config.mjs`.
import root from '../../jest.config.mjs';

const e2e = root.projects.find(({ displayName }) => displayName === 'e2e');
export default {
  ...e2e,
  displayName: 'dumps',
  testMatch: ['<rootDir>/test/{dumps,fuzz}/**/*.e2e-spec.ts'],
};
