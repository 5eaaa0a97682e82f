/** What the tests use of irc-framework, which comes without types. */
declare module "irc-framework" {
  export class Client {
    readonly network: { readonly name: string; readonly cap: { readonly isEnabled: (name: string) => boolean } }
    // oxlint-disable-next-line typescript/no-explicit-any -- each event has a shape of its own
    on(event: string, listener: (event: any) => void): void
    requestCap(names: ReadonlyArray<string>): void
    connect(options: {
      readonly host: string
      readonly port: number
      readonly nick: string
      readonly username: string
      readonly gecos: string
      readonly auto_reconnect: boolean
      readonly transport?: unknown
      readonly path?: string
      readonly websocket_protocol?: string
    }): void
    join(channel: string): void
    say(target: string, message: string): void
    action(target: string, message: string): void
    quit(message?: string): void
  }
}

declare module "irc-framework/src/transports/websocket.js" {
  /** How it connects in browsers. */
  const transport: unknown
  export default transport
}
