// Sends events through the HTTP door, one JSON object a line of standard input: Node alone, no package.
//
//     TOKEN=... node produce_transcripts.js http://127.0.0.1:8080 < events.jsonl
//
// What is not answered 200 is sent again after a while: give each event an `event_id`, and it makes no second one.
'use strict'

const readline = require('node:readline')
const { setTimeout: pause } = require('node:timers/promises')

const EVENTS = 500 // of a request
const TRIES = 20

async function post (address, lines) {
  for (let tries = 1; ; tries++) {
    let answer
    try {
      answer = await fetch(`${address}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${process.env.TOKEN}` },
        body: lines.join('\n')
      })
    } catch (error) { // no server, or a connection that broke: whether it was taken is not known
      if (tries === TRIES) throw error
      await pause(500)
      continue
    }
    const said = await answer.json()
    if (answer.ok) return said
    const again = answer.status === 429 || answer.status === 503
    if (!again || tries === TRIES) throw new Error(`${answer.status}: ${said.detail}`)
    await pause(1000 * Number(answer.headers.get('retry-after') ?? 1))
  }
}

async function main (address) {
  const counts = { new: 0, repeated: 0 }
  let lines = []
  const send = async () => {
    const said = await post(address, lines)
    counts.new += said.new
    counts.repeated += said.repeated
    lines = []
  }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line.trim()) lines.push(line)
    if (lines.length === EVENTS) await send()
  }
  if (lines.length) await send()
  console.log(JSON.stringify(counts))
}

main(process.argv[2]).catch((error) => {
  console.error(String(error.message))
  process.exit(1)
})
