/**
 * The API's document and the page that explains it, both made from its definition. The page brings all it needs and runs
 * nothing.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "./Api.ts"

type Spec = OpenApi.OpenAPISpec
type Operation = OpenApi.OpenAPISpecOperation

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const style = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow-x: auto; padding: .75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem }
article { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .5rem 0 1rem }
h3 { font-size: 1rem; margin: .75rem 0 .25rem }
h3 code, td code { overflow-wrap: anywhere }
th, td { text-align: start; vertical-align: top; padding: .1rem 1rem .1rem 0 }
th { font-weight: 600 }
`

const methods = ["get", "post", "put", "patch", "delete"] as const

const row = (cells: ReadonlyArray<string>): string => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`

const table = (heads: ReadonlyArray<string>, rows: ReadonlyArray<string>): string =>
  rows.length === 0 ? "" : `<table><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr>${rows.join("")}</table>`

const json = (value: unknown): string => `<pre><code>${escaped(JSON.stringify(value, undefined, 2))}</code></pre>`

/** The name of a schema, or what it is. */
const schemaName = (schema: unknown): string => {
  const { $ref } = schema as { readonly $ref?: string }
  const name = $ref?.split("/").at(-1)
  return name === undefined ? `<code>${escaped(JSON.stringify(schema))}</code>` : `<a href="#${escaped(name)}">${escaped(name)}</a>`
}

/** What a schema says of itself, or one that it is made of. */
const about = (schema: unknown): string => {
  const { allOf = [], description } = schema as { readonly description?: string; readonly allOf?: ReadonlyArray<unknown> }
  return description ?? allOf.map(about).join(" ")
}

const article = (prefix: string, path: string, method: string, { description, parameters, requestBody, responses, security, summary }: Operation): string => {
  const taken = parameters.map(({ description, in: where, name, required, schema }) =>
    row([`<code>${escaped(name)}</code>`, `${where}${required ? "" : ", optional"}`, escaped(description ?? about(schema))])
  )
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => `<p>Body, ${escaped(type)}: ${schemaName(schema)}</p>`)
  const answers = Object.entries(responses).map(([status, { content, description }]) =>
    row([status, escaped(description), Object.entries(content ?? {}).map(([type, { schema }]) => type === "application/json" ? schemaName(schema) : escaped(type)).join(", ")])
  )
  return `<article><h3><code>${method.toUpperCase()} ${escaped(prefix + path)}</code></h3><p>${escaped(summary ?? "")}. ${escaped(description ?? "")}${
    security.length === 0 ? "" : " Needs a token: <code>Authorization: Bearer TOKEN</code>."
  }</p>${table(["takes", "where", ""], taken)}${bodies.join("")}${table(["answers", "", ""], answers)}</article>`
}

/** The page that explains a document, under whatever prefix it is served. */
export const page = (spec: Spec, prefix: string): string => {
  const sections = spec.tags.map(({ description, name }) => {
    const articles = Object.entries(spec.paths).flatMap(([path, item]) =>
      methods.flatMap((method) => item[method]?.tags.includes(name) === true ? [article(prefix, path, method, item[method])] : [])
    )
    return `<section><h2>${escaped(name)}</h2><p>${escaped(description ?? "")}</p>${articles.join("")}</section>`
  })
  const schemas = Object.entries(spec.components.schemas).map(([name, schema]) => `<article id="${escaped(name)}"><h3>${escaped(name)}</h3>${json(schema)}</article>`)
  const { description = "", title } = spec.info
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${
    escaped(title)
  }: HTTP API</title><link rel="stylesheet" href="${escaped(prefix)}/api/reference.css"></head><body><main><h1>${escaped(title)}: HTTP API</h1><p>${
    escaped(description)
  } The same for programs: <a href="${escaped(prefix)}/api/openapi.json">openapi.json</a>.</p>${sections.join("")}<section><h2>Schemas</h2>${schemas.join("")}</section></main></body></html>
`
}

const headers = {
  "cache-control": "no-cache",
  "content-security-policy": policy,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

/** Where a host mounted the routes: what the path of a request has before their own. */
const prefixOf = ({ originalUrl, url }: HttpServerRequest.HttpServerRequest): string => {
  const whole = originalUrl.replace(/^https?:\/\/[^/]+/i, "").split("?", 1)[0]!
  const own = url.split("?", 1)[0]!
  return whole.endsWith(own) ? whole.slice(0, whole.length - own.length) : ""
}

const answer = (make: (spec: Spec, prefix: string) => HttpServerResponse.HttpServerResponse) =>
  Effect.map(HttpServerRequest.HttpServerRequest, (request) => make(OpenApi.fromApi(Api), prefixOf(request)))

/** `/api/openapi.json`, and `/api` for people. */
export const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/api/openapi.json", answer((spec, prefix) => HttpServerResponse.jsonUnsafe({ ...spec, servers: [{ url: prefix === "" ? "/" : prefix }] }, { headers }))),
  HttpRouter.add("GET", "/api", answer((spec, prefix) => HttpServerResponse.text(page(spec, prefix), { contentType: "text/html; charset=utf-8", headers }))),
  HttpRouter.add("GET", "/api/reference.css", HttpServerResponse.text(style, { contentType: "text/css; charset=utf-8", headers }))
)
