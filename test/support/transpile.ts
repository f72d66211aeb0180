import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/** TypeScript modules by their path below a directory. */
export type Sources = ReadonlyMap<string, string>

/** Differs where the output would: names, sources and compiler, in hexadecimal. */
export function fingerprintOf(sources: Sources): string {
  const hash = createHash('sha256').update(ts.version)
  for (const [name, source] of [...sources].sort()) hash.update(name).update(source)
  return hash.digest('hex')
}

/** Writes each module as plain JavaScript; types are checked elsewhere. */
export function writeModules(directory: string, sources: Sources): void {
  for (const [name, source] of sources) {
    const path = join(directory, name.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, javaScriptOf(source))
  }
}

function javaScriptOf(source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText
}
