/** What was measured, as lines for people: figures, ratios, and the bounds they are held against. */
import { cpus } from "node:os"
import { pinned } from "./servers.ts"

/** One figure of both servers. */
export interface Row {
  readonly what: string
  readonly unit: string
  readonly ours: number
  /** Unknown where there is nothing to measure beside. */
  readonly naive?: number
  /** What `naive` is, where it is not the naive server. */
  readonly beside?: string
  /** What `ours`, or its ratio to `naive`, is to be. */
  readonly bound?: { readonly of: "figure" | "ratio"; readonly least?: number; readonly most?: number }
}

/** How far a workload's figures can be trusted, for each server. */
export interface Conditions {
  readonly what: string
  readonly server: string
  readonly messages: number
  readonly deliveries: number
  readonly lost: number
  readonly doubled: number
  readonly misordered: number
  /** Shares of one CPU that the server and the clients had, and of all CPUs that anything else had. */
  readonly serverShare: number
  readonly clientShare: number
  readonly elsewhereShare: number
  /** How late the clients sent, where they send by the clock, at p99 in milliseconds. */
  readonly lag: number | undefined
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const ratio = (row: Row): number => row.naive === undefined ? Number.NaN : row.ours / row.naive

/** Whether a row's bound is held; `undefined` where it has none. */
export const held = (row: Row): boolean | undefined => {
  if (row.bound === undefined) return undefined
  const { least = -Infinity, most = Infinity, of } = row.bound
  const value = of === "figure" ? row.ours : ratio(row)
  return value >= least && value <= most
}

/** Three digits that count. */
const figure = (value: number): string =>
  !Number.isFinite(value)
    ? "-"
    : Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3)

const percent = (share: number): string => Number.isFinite(share) ? `${Math.round(share * 100)}%` : "-"

const inWords = ({ bound, unit }: Row): string => {
  if (bound === undefined) return ""
  const suffix = bound.of === "ratio" ? " x" : unit === "" ? "" : ` ${unit}`
  return [
    bound.least === undefined ? [] : [`>= ${bound.least}${suffix}`],
    bound.most === undefined ? [] : [`<= ${bound.most}${suffix}`]
  ].flat().join(", ")
}

const table = (heads: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: ReadonlyArray<string>) =>
    cells.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join("  ").trimEnd()
  return [line(heads), ...rows.map(line)].join("\n")
}

export const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cpus: cpus().length,
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  pinned
})

export const describeMachine = (): string => {
  const { cpu, cpus, node, platform, pinned } = machine()
  const where = pinned ? "servers on the first CPU, clients on the others" : "servers and clients on any CPU"
  return `${cpu}, ${cpus} CPUs, ${platform}, Node ${node}; ${where}`
}

export const describeRows = (rows: ReadonlyArray<Row>): string =>
  table(
    ["", "unit", "ours", "naive", "ours/naive", "bound", ""],
    rows.map((row) => [
      row.what,
      row.unit,
      figure(row.ours),
      row.naive === undefined ? "-" : figure(row.naive) + (row.beside === undefined ? "" : ` (${row.beside})`),
      figure(ratio(row)),
      inWords(row),
      { true: "held", false: "MISSED", undefined: "" }[String(held(row)) as "true" | "false" | "undefined"]
    ])
  )

export const describeConditions = (conditions: ReadonlyArray<Conditions>): string =>
  table(
    ["", "server", "messages", "deliveries", "lost", "doubled", "misordered", "server CPU", "client CPU", "others' CPU", "sent late p99 ms"],
    conditions.map((one) => [
      one.what,
      one.server,
      figure(one.messages),
      figure(one.deliveries),
      String(one.lost),
      String(one.doubled),
      String(one.misordered),
      percent(one.serverShare),
      percent(one.clientShare),
      percent(one.elsewhereShare),
      one.lag === undefined ? "" : figure(one.lag)
    ])
  )
