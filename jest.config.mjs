// One configuration, three projects. CommonJS mode: Node 20 cannot `require` Nest's ESM from CJS packages, swc turns all into CJS (docs/adr/0008).
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  setupFiles: ['reflect-metadata'],
  // The `source` condition makes #libs/* resolve to .ts.
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons', 'require', 'default'] },
  transform: {
    '^.+\\.m?[tj]s$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs|file-type|strtok3|token-types|uint8array-extras|@tokenizer|load-esm|@prisma|ioredis|uuid)/)',
  ],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};
export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{apps,libs,tools,bench}/**/*.spec.ts',
        '<rootDir>/test/differential/**/*.spec.ts',
        '<rootDir>/test/golden/**/*.spec.ts',
      ],
    },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/{e2e,dumps,fuzz}/**/*.e2e-spec.ts'] },
    { ...common, displayName: 'lab', testMatch: ['<rootDir>/test/{lab,differential,collector}/**/*.lab-spec.ts'] },
  ],
};
