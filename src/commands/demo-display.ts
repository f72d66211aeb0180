import type { WorkerEnvironment } from '../app.ts'
import { type DemoFrame, renderFrame } from './demo-screen.ts'
import { renderDecisionLine } from './release-screen.ts'
import { fitScreen, type Terminal } from './terminal.ts'

const FRAME_EVERY_MS = 5000

/** Shows frames: redrawn in place on a terminal, else decisions as they come and a frame now and then. */
export interface DemoDisplay {
  begin(title: string): void
  show(frame: DemoFrame): void
  /** Leaves the last frame standing. */
  end(): void
}

export function createDemoDisplay(
  terminal: Terminal,
  clock: WorkerEnvironment['clock'],
): DemoDisplay {
  return terminal.interactive ? redrawing(terminal) : printing(terminal, clock)
}

function redrawing(terminal: Terminal): DemoDisplay {
  let height = 0
  const { out } = terminal
  return {
    begin() {
      height = 0
    },
    show(frame) {
      const lines = fitScreen(renderFrame(frame, terminal.color), terminal)
      // Up to the first line of the last frame, then erase to the end of the screen.
      const home = height === 0 ? '' : `\u001b[${height}A\u001b[J`
      out(home + lines.join('\n'))
      height = lines.length
    },
    end: () => out(''),
  }
}

function printing(terminal: Terminal, clock: WorkerEnvironment['clock']): DemoDisplay {
  let shownAtMs = 0
  let generation = 0
  return {
    begin(title) {
      terminal.out(`== ${title}`)
      shownAtMs = clock.now()
    },
    show(frame) {
      const decision = frame.view?.decision ?? null
      if (decision !== null && decision.generation > generation) {
        generation = decision.generation
        terminal.out(renderDecisionLine(decision, terminal.color))
      }
      const now = clock.now()
      if (now - shownAtMs < FRAME_EVERY_MS) return
      shownAtMs = now
      for (const line of ['', ...renderFrame(frame, terminal.color), '']) terminal.out(line)
    },
    end: () => undefined,
  }
}
