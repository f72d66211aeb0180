import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'

/** Every `$ref` of a document that names nothing in it, with the place where it stands. */
export function brokenRefs(document: unknown): string[] {
  const broken: string[] = []
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    const { $ref } = value as { $ref?: unknown }
    if (typeof $ref === 'string' && at(document, $ref) === undefined)
      broken.push(`${path}: ${$ref}`)
    for (const [key, part] of Object.entries(value)) walk(part, `${path}/${key}`)
  }
  walk(document, '#')
  return broken
}

/** The value a local reference points at; undefined when there is none. */
export function at(document: unknown, ref: string): unknown {
  if (!ref.startsWith('#/')) return undefined
  const steps = ref.slice(2).split('/').map(unescapePointer)
  return steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    document,
  )
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Judges values by schemas inside a document, which may refer to each other. */
export function createDocumentJudge(document: object, draft: '2020-12' | 'draft-07') {
  const options = { strict: false, allErrors: true, validateFormats: false } as const
  const ajv = draft === '2020-12' ? new Ajv2020(options) : new Ajv(options)
  ajv.addSchema(document, 'document')
  const root = (ref: string) => ({ $ref: `document${ref}` })
  return {
    /** Null when the value is valid under the schema at the pointer, else why not. */
    faults(pointer: string, value: unknown): string | null {
      const validate = ajv.getSchema(`document${pointer}`) ?? ajv.compile(root(pointer))
      return validate(value) ? null : ajv.errorsText(validate.errors)
    },
  }
}

export function pointerOf(...steps: string[]): string {
  return `#/${steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`
}
