// Biome formats and lints; this adds only the rules that need types.
import tseslint from 'typescript-eslint'

const pure = ['src/domain/**', 'src/judge/**', 'src/rollout/**']

export default tseslint.config(
  { ignores: ['dist/', '.haldane-program*/', 'coverage/', 'test/fixtures/forbidden-imports/'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: pure,
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'pure code knows no randomness' },
      ],
    },
  },
  {
    // Engine settings sent as client options stick to an embedded connection and leak into later
    // statements; input() silently inserts nothing. Both are allowed nowhere.
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "Property[key.name='clickhouse_settings']",
          message:
            'write settings into the SQL SETTINGS clause: as an option they stick to the connection',
        },
        {
          selector:
            'TemplateElement[value.raw=/\\bFROM\\s+input\\s*\\(/i], Literal[value=/\\bFROM\\s+input\\s*\\(/i]',
          message:
            'input() inserts nothing on the embedded engine, without an error: use file() or format()',
        },
      ],
    },
  },
)
