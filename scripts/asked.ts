/** How a script is asked: `--help` prints its usage, and what it does not understand ends it with that. */
import { parseArgs, type ParseArgsConfig } from "node:util"

/** End with the usage: for the one who asked for it, or with what is wrong. */
export const explain = (usage: string, problem?: string): never => {
  if (problem === undefined) console.log(usage)
  else console.error(`${problem}\n${usage}`)
  process.exit(problem === undefined ? 0 : 2)
}

/** The arguments of the program by these options. */
export const asked = <const Config extends ParseArgsConfig>(usage: string, config: Config): ReturnType<typeof parseArgs<Config>> => {
  if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) explain(usage)
  try {
    return parseArgs(config)
  } catch (error) {
    return explain(usage, (error as Error).message)
  }
}
