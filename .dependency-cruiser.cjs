// The import rule of docs/architecture.md: imports point inward only.
const inward = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'src-never-imports-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^test/' },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    inward('domain-imports-nothing', '^src/domain/', ['^src/domain/']),
    inward('judge-imports-domain', '^src/judge/', ['^src/(judge|domain)/']),
    inward('rollout-imports-domain', '^src/rollout/', ['^src/(rollout|domain)/']),
    inward('contract-imports-domain', '^src/contract/', [
      '^src/(contract|domain)/',
      '^src/ports\\.ts$',
    ]),
    inward('ports-import-inward', '^src/ports\\.ts$', ['^src/(contract|domain)/']),
    inward('pipeline-knows-no-adapter', '^src/pipeline/', [
      '^src/(pipeline|judge|rollout|contract|domain)/',
      '^src/ports\\.ts$',
    ]),
    {
      name: 'adapter-knows-only-itself',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: {
        path: '^src/',
        pathNot: ['^src/adapters/$1/', '^src/(contract|domain)/', '^src/ports\\.ts$'],
      },
    },
    {
      name: 'pure-code-imports-no-package',
      severity: 'error',
      from: { path: '^src/(domain|judge|rollout)/' },
      to: { pathNot: '^src/' },
    },
    {
      name: 'kafkajs-only-in-its-adapter',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/kafka/' },
      to: { path: 'node_modules/kafkajs' },
    },
    {
      name: 'clickhouse-only-in-its-adapter',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/clickhouse/' },
      to: { path: 'node_modules/(@clickhouse|chdb)' },
    },
    {
      name: 'only-app-constructs-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(adapters/|app\\.ts$|commands/|main\\.ts$)' },
      to: { path: '^src/adapters/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: `${__dirname}/tsconfig.json` },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
