// Reads `sentiment` exactly once into a file for each partition, as ../consume_sentiment.py does: kafkajs and avsc.
//
//     edgewise schemas export avro && npm ci
//     node consume_sentiment.js 127.0.0.1:9092 sentiment avro results [http://registry:8081] [--until-end]
//
// Each line has its record's offset: what is kept and where the reading stands is one thing. kafkajs reads only through a
// group, so the group's offset is set behind the last whole line of each partition's file, and nothing is committed to it.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const avro = require('avsc')
const { Kafka, logLevel } = require('kafkajs')

const REMEMBERED = 100_000 // event ids of a partition that a repeated one is found among
const FIELDS = ['event_id', 'conversation_id', 'turn', 'label', 'confidence', 'route', 'degraded', 'role', 'language']

// Avro longs that JavaScript's numbers hold: turns, and times until the year 287396.
const parse = (schema) => avro.Type.forSchema(schema)

// The schema's parsing canonical form (Avro's specification): what a fingerprint is made of.
function canonical (schema, namespace) {
  if (typeof schema === 'string') {
    const primitive = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'].includes(schema)
    return JSON.stringify(primitive || schema.includes('.') || !namespace ? schema : `${namespace}.${schema}`)
  }
  if (Array.isArray(schema)) return `[${schema.map((each) => canonical(each, namespace)).join(',')}]`
  const { type } = schema
  const space = schema.namespace ?? namespace
  if (type === 'array') return `{"type":"array","items":${canonical(schema.items, namespace)}}`
  if (type === 'map') return `{"type":"map","values":${canonical(schema.values, namespace)}}`
  if (type === 'record' || type === 'enum') {
    const name = JSON.stringify(schema.name.includes('.') || !space ? schema.name : `${space}.${schema.name}`)
    if (type === 'enum') return `{"name":${name},"type":"enum","symbols":${JSON.stringify(schema.symbols)}}`
    const fields = schema.fields.map(({ name, type }) => `{"name":${JSON.stringify(name)},"type":${canonical(type, space)}}`)
    return `{"name":${name},"type":"record","fields":[${fields.join(',')}]}`
  }
  return canonical(type, namespace) // a logical type, or a type in an object of its own
}

// CRC-64-AVRO, little-endian, as single-object encoding has it.
const EMPTY = 0xc15d213aa4d7a795n
const TABLE = Array.from({ length: 256 }, (_, i) => {
  let value = BigInt(i)
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (EMPTY & -(value & 1n) & 0xffffffffffffffffn)
  return value
})
function fingerprint (schema) {
  let value = EMPTY
  for (const byte of Buffer.from(canonical(schema))) value = (value >> 8n) ^ TABLE[Number((value ^ BigInt(byte)) & 0xffn)]
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

// Values to objects of the newest release, whichever release and header they were written with.
class Decoder {
  constructor (folder, registry) {
    const versions = fs.readdirSync(folder).filter((name) => /^v\d+$/.test(name)).sort((a, b) => a.slice(1) - b.slice(1))
    const released = versions.map((version) => path.join(folder, version, 'sentiment.avsc')).filter(fs.existsSync)
      .map((file) => JSON.parse(fs.readFileSync(file, 'utf8')))
    this.registry = registry
    this.reader = parse(released.at(-1))
    this.writers = new Map(released.map((schema) => [`c301${fingerprint(schema).toString('hex')}`, this.resolve(schema)]))
  }

  resolve (schema) {
    const writer = parse(schema)
    return { writer, resolver: this.reader.createResolver(writer) }
  }

  async decode (value) {
    const size = value[0] === 0 ? 5 : 10 // 00 and the id of a registry, or C3 01 and a fingerprint
    const header = value.subarray(0, size).toString('hex')
    if (!this.writers.has(header)) this.writers.set(header, this.resolve(await this.fromRegistry(value)))
    const { resolver } = this.writers.get(header)
    return this.reader.fromBuffer(value.subarray(size), resolver)
  }

  async fromRegistry (value) {
    if (value[0] !== 0 || this.registry === undefined) throw new Error('a value is written with a schema that is not here')
    const answer = await fetch(`${this.registry}/schemas/ids/${value.readUInt32BE(1)}`)
    if (!answer.ok) throw new Error(`the schema registry answers ${answer.status}`)
    return JSON.parse((await answer.json()).schema)
  }
}

// The file of one partition: a JSON object a line, the last one says where reading goes on.
class Results {
  constructor (file) {
    const content = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
    const whole = content.slice(0, content.lastIndexOf('\n') + 1) // what a crash cut short is read again
    const lines = whole.split('\n').filter(Boolean).map((line) => JSON.parse(line))
    this.nextOffset = lines.length ? lines.at(-1).offset + 1 : 0
    this.seen = new Set()
    for (const { event_id: id } of lines) this.remember(id)
    fs.closeSync(fs.openSync(file, 'a'))
    fs.truncateSync(file, Buffer.byteLength(whole))
    this.file = fs.openSync(file, 'a')
  }

  // Keeps results, but none that was there before: of a file that was replayed, say. It returns when they are on the disk.
  add (records) {
    const lines = []
    for (const { offset, result } of records) {
      if (offset < this.nextOffset) continue
      if (!this.seen.has(result.event_id)) {
        this.remember(result.event_id)
        lines.push(JSON.stringify({ offset, ...Object.fromEntries(FIELDS.map((name) => [name, result[name]])) }) + '\n')
      }
      this.nextOffset = offset + 1
    }
    if (lines.length) {
      fs.writeSync(this.file, lines.join(''))
      fs.fsyncSync(this.file)
    }
  }

  remember (id) {
    this.seen.add(id)
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value)
  }
}

async function main ([servers, topic, schemas, folder, registry], untilEnd) {
  const decoder = new Decoder(schemas, registry)
  fs.mkdirSync(folder, { recursive: true })
  const kafka = new Kafka({ clientId: 'example', brokers: servers.split(','), logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  const partitions = await admin.fetchTopicOffsets(topic)
  const results = new Map(partitions.map(({ partition }) =>
    [partition, new Results(path.join(folder, `${topic}-${partition}.jsonl`))]))
  const ends = new Map(partitions.map(({ partition, high }) => [partition, Number(high)]))
  const groupId = `example-${process.pid}-${Date.now()}` // its offsets are never used: each run has a group of its own
  await admin.setOffsets({
    groupId,
    topic,
    partitions: partitions.map(({ partition, low }) => ({
      partition, offset: String(Math.max(Number(low), results.get(partition).nextOffset))
    }))
  })

  const positions = new Map(partitions.map(({ partition }) => [partition, results.get(partition).nextOffset]))
  const atEnd = () => [...ends].every(([partition, end]) => positions.get(partition) >= end)
  // A session of 6 s: the embedded broker lets a group wait as long before its first message.
  const consumer = kafka.consumer({ groupId, readUncommitted: false, sessionTimeout: 6_000, heartbeatInterval: 2_000 })
  await consumer.connect()
  await consumer.subscribe({ topic })
  const finished = new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error))
    // The fetch says how far it came: at the end there are markers of transactions, which no record tells of.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      positions.set(payload.partition, Number(payload.lastOffset) + 1)
      if (untilEnd && atEnd()) resolve()
    })
    if (untilEnd && atEnd()) resolve()
  })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      const records = []
      for (const { offset, value } of batch.messages) {
        records.push({ offset: Number(offset), result: await decoder.decode(value) })
      }
      results.get(batch.partition).add(records)
    }
  })
  await finished
  await consumer.disconnect()
  await admin.deleteGroups([groupId]).catch(() => {}) // the broker forgets it by itself
  await admin.disconnect()
}

const given = process.argv.slice(2).filter((argument) => argument !== '--until-end')
if (given.length < 4 || given.length > 5) {
  console.error('node consume_sentiment.js SERVERS TOPIC SCHEMAS FOLDER [REGISTRY] [--until-end]')
  process.exit(2)
}
main(given, process.argv.includes('--until-end')).catch((error) => {
  console.error(String(error.stack ?? error))
  process.exit(1)
})
