import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const POM = fileURLToPath(new URL('broker-pom.xml', import.meta.url))
const CACHE = fileURLToPath(new URL('../../.broker/', import.meta.url))
const JAVA_MIN = 17

/** The `java` command, or why there is no usable one. */
export async function findJava(): Promise<{ command: string } | { missing: string }> {
  const home = process.env['JAVA_HOME']
  const command = home ? join(home, 'bin', 'java') : 'java'
  try {
    const { stderr, stdout } = await run(command, ['-version'])
    const major = Number(/version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1])
    if (major >= JAVA_MIN) return { command }
    return { missing: `${command} is version ${major}, at least ${JAVA_MIN} is needed` }
  } catch {
    return { missing: `no Java (${command} cannot be run)` }
  }
}

/**
 * Folder with the jars of an Apache Kafka broker, fetched once with Maven and kept in `.broker/`.
 * Two callers at once each fetch their own copy; the first to finish puts it in place.
 */
export async function brokerJars(): Promise<string> {
  const pom = await readFile(POM)
  const folder = join(CACHE, createHash('sha256').update(pom).digest('hex').slice(0, 12))
  if (await exists(join(folder, 'complete'))) return join(folder, 'jars')

  await mkdir(CACHE, { recursive: true })
  const draft = await mkdtemp(join(CACHE, 'fetching-'))
  try {
    await fetchInto(join(draft, 'jars'))
    await writeFile(join(draft, 'complete'), pom)
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!(await exists(join(folder, 'complete')))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return join(folder, 'jars')
}

async function fetchInto(folder: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  try {
    await run('mvn', ['-q', '-B', '-ntp', '-f', POM, ...goal], { maxBuffer: 16 * 1024 * 1024 })
  } catch (thrown) {
    const { code, stdout, message } = thrown as { code?: unknown; stdout?: string; message: string }
    if (code === 'ENOENT') throw new Error('no Maven (mvn cannot be run)')
    throw new Error(`Maven could not fetch the jars of Apache Kafka: ${stdout || message}`)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
