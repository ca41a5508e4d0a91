// The walls between the rooms. tools/dependency-rules.spec.ts breaks each rule once and sees that it is noticed.

/** What each library may import besides itself (and packages from npm). A library that is not in the table may import nothing of ours. */
const MAY_IMPORT = {
  model: [],
  config: ['model'],
  observability: ['model', 'config'],
  netstack: ['model'],
  cluster: ['model'],
  'snapshot-archive': ['model'],
  'embedded-postgres': ['model', 'config'],
  collector: ['model', 'netstack', 'cluster', 'snapshot-archive'],
  'provider-kit': ['model', 'netstack', 'cluster', 'collector', 'config'],
  engine: ['model', 'netstack', 'cluster', 'provider-kit', 'policy', 'kube-proxy'],
  cni: ['model', 'netstack', 'cluster', 'provider-kit'],
  policy: ['model', 'cluster', 'provider-kit'],
  'kube-proxy': ['model', 'netstack', 'cluster', 'provider-kit'],
  queue: ['model', 'config'],
  persistence: ['model', 'config'],
  server: ['model', 'queue', 'persistence', 'config', 'observability'],
};
/** Specs of these need a database that is really there. */
const SPECS_MAY_IMPORT = {
  queue: ['embedded-postgres'],
  persistence: ['embedded-postgres'],
  server: ['embedded-postgres'],
};
const PROVIDERS_MAY_IMPORT = ['model', 'netstack', 'provider-kit', 'engine', 'cni', 'cluster', 'collector', 'config'];

const anyOf = (names) => `^libs/(${names.join('|')})/`;

const wall = (name, lib, from, allowed) => ({
  name,
  comment: `libs/${lib} imports only: ${allowed.join(', ') || 'nothing of ours'}.`,
  severity: 'error',
  from,
  to: { path: '^(libs|apps)/', pathNot: anyOf([lib, ...allowed]) },
});
const walls = Object.entries(MAY_IMPORT).flatMap(([lib, allowed]) => {
  const path = `^libs/${lib}/`;
  const forSpecs = SPECS_MAY_IMPORT[lib];
  if (forSpecs === undefined) return [wall(`wall-${lib}`, lib, { path }, allowed)];
  return [
    wall(`wall-${lib}`, lib, { path, pathNot: '\\.spec\\.ts$' }, allowed),
    wall(`wall-${lib}-specs`, lib, { path: `${path}.*\\.spec\\.ts$` }, [...allowed, ...forSpecs]),
  ];
});

module.exports = {
  forbidden: [
    ...walls,
    {
      name: 'wall-unlisted',
      comment: 'A new library says in MAY_IMPORT what it may import.',
      severity: 'error',
      from: { path: '^libs/', pathNot: anyOf([...Object.keys(MAY_IMPORT), 'providers']) },
      to: { path: '^(libs|apps)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'wall-providers',
      comment: `A provider imports only: ${PROVIDERS_MAY_IMPORT.join(', ')}; never another provider.`,
      severity: 'error',
      from: { path: '^libs/providers/([^/]+)/' },
      to: { path: '^(libs|apps)/', pathNot: [anyOf(PROVIDERS_MAY_IMPORT), '^libs/providers/$1/'] },
    },
    {
      name: 'api-never-simulates',
      comment:
        'The API answers for rows and jobs. The simulator, the providers and cluster clients are out of its reach, also through others.',
      severity: 'error',
      from: { path: '^apps/api/' },
      to: {
        path: '^(libs/(engine|cni|netstack|providers|collector|cluster/kubernetes)/|node_modules/@kubernetes/)',
        reachable: true,
      },
    },
    {
      name: 'apps-are-apart',
      comment: 'Only the standalone application hosts other applications.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'nest-at-the-rim',
      comment: 'NestJS lives in libs/server and the server applications; the CLI starts without it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^(libs/server|apps/(?!cli/)[^/]+)/' },
      to: { path: 'node_modules/@(nestjs|bull-board)/' },
    },
    {
      name: 'pure-core',
      comment: 'The simulator does no I/O: no files, no network, no processes.',
      severity: 'error',
      from: { path: '^libs/(model|netstack|engine|cni|policy|kube-proxy)/', pathNot: '\\.spec\\.ts$' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|net|http|https|http2|tls|dns|dgram|child_process|worker_threads|cluster|os|process)(/|$)',
      },
    },
    {
      name: 'prisma-in-one-room',
      comment: 'Rows never leave libs/persistence.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/persistence/' },
      to: { path: 'node_modules/@prisma/|^libs/persistence/src/generated/' },
    },
    {
      name: 'bullmq-in-two-rooms',
      comment: 'One place decides what carries the queue. libs/server ties it to Nest.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/(queue|server)/' },
      to: { path: 'node_modules/(bullmq|ioredis)/' },
    },
    {
      name: 'no-circular',
      comment:
        'Two files that need each other at run time are one file, or three. A cycle that a type closes is none when the program runs.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'sources-never-import-tests',
      comment: "Specs, test/ and tools/ are nobody's dependency.",
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '\\.spec\\.ts$|^(test|tools)/' },
    },
    {
      name: 'declared-packages-only',
      comment: 'What the code that runs imports stands in dependencies, and can be found.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      // Types are gone at run time: they may come from @types.
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Types count: a wall that types may climb is none.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // Prisma's generated client contains cycles.
    exclude: { path: '^libs/persistence/src/generated/.+/|^dist/|^apps/web/' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
