import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Fails the build when what a browser must fetch before it draws anything grows over `limit` bytes (gzipped): the
 * script of `entry` and all that it imports at once. Parts that come later, when they are needed, do not count.
 */
export function initialSize(entry: string, limit: number): Plugin {
  return {
    name: 'initial-size',
    apply: 'build',
    generateBundle(_, bundle) {
      const first = Object.values(bundle).find(
        (part) => part.type === 'chunk' && part.isEntry && part.name === entry,
      )
      if (!first) return this.error(`There is no entry named ${entry}.`)
      const needed = new Set<string>()
      const visit = (file: string) => {
        const part = bundle[file]
        if (needed.has(file) || part?.type !== 'chunk') return
        needed.add(file)
        for (const each of part.imports) visit(each)
      }
      visit(first.fileName)
      let size = 0
      for (const file of needed) {
        const part = bundle[file]
        if (part?.type === 'chunk') size += gzipSync(part.code).length
      }
      const told = `${Math.round(size / 1000)} kB of script, gzipped, before anything is drawn`
      if (size > limit) {
        this.error(`${told}: more than the ${limit / 1000} kB it may be. Load a part of it later.`)
      }
      this.info(told)
    },
  }
}
