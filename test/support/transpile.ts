import ts from 'typescript'

/** The module as plain JavaScript; types are checked elsewhere. */
export function javaScriptOf(source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText
}

/** What its output depends on, besides the source. */
export const COMPILER = ts.version
