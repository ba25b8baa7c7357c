// kafkajs: writes a plan, and reports what each fault answers. It reads only through a group,
// so another client reads what it wrote. The plan is described in tests/broker/plan.rs.
'use strict'

const fs = require('fs')
const { CompressionCodecs, CompressionTypes, Kafka, ConfigResourceTypes, logLevel } = require('kafkajs')
const lz4 = require('lz4-napi')
const { ZstdCodec } = require('zstd-codec')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
})

const zstd = new Promise((resolve) => ZstdCodec.run((codec) => resolve(new codec.Simple())))
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from((await zstd).compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from((await zstd).decompress(buffer)),
})

const COMPRESSION = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}
const ACKS = { 0: 0, 1: 1, all: -1 }
const TOPIC = ConfigResourceTypes.TOPIC

const unhex = (text) => (text === null ? null : Buffer.from(text, 'hex'))

function kafkaOf(plan) {
  return new Kafka({
    brokers: [plan.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 5, initialRetryTime: 50 },
  })
}

function messageOf(record) {
  const headers = {}
  for (const [name, content] of record.headers) {
    headers[name] = [...(headers[name] || []), unhex(content)]
  }
  return {
    key: unhex(record.key),
    value: unhex(record.value),
    partition: record.partition,
    timestamp: String(record.timestamp),
    headers,
  }
}

async function create(admin, topics) {
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map((topic) => ({
      topic: topic.name,
      numPartitions: topic.partitions,
      replicationFactor: 1,
      configEntries: Object.entries(topic.configs).map(([name, value]) => ({ name, value })),
    })),
  })
}

async function produce(kafka, plan, report) {
  const admin = kafka.admin()
  await admin.connect()
  await create(admin, plan.topics)
  await admin.disconnect()
  for (const topic of plan.topics) {
    const producer = kafka.producer({ idempotent: topic.idempotent, allowAutoTopicCreation: false })
    await producer.connect()
    const acked = []
    report.acked[topic.name] = acked
    for (let at = 0; at < topic.records.length; at += 60) {
      const records = topic.records.slice(at, at + 60)
      const answers = await producer.send({
        topic: topic.name,
        acks: ACKS[topic.acks],
        compression: COMPRESSION[topic.codec],
        messages: records.map(messageOf),
      })
      const next = Object.fromEntries(answers.map((row) => [row.partition, Number(row.baseOffset)]))
      for (const { partition } of records) acked.push(topic.acks === '0' ? null : next[partition]++)
    }
    await producer.disconnect()
  }
}

// Kafka's code for what the promise is refused with, or 0. An error of many names the first.
async function codeOf(promise) {
  try {
    await promise
    return 0
  } catch (error) {
    const first = error.errors ? error.errors[0] : error
    const cause = first.code === undefined && first.cause ? first.cause : first
    if (cause.code === undefined) throw error
    return cause.code
  }
}

async function settled(look, wanted) {
  for (const started = Date.now(); ; ) {
    const seen = await look()
    if (seen === wanted || Date.now() - started > 30000) return seen
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function faults(kafka, plan, report) {
  const said = report.outcomes
  const [topic] = plan.topics
  const name = topic.name
  const admin = kafka.admin()
  await admin.connect()
  await create(admin, [topic])

  const make = (name, replicationFactor = 1) =>
    codeOf(admin.createTopics({ topics: [{ topic: name, numPartitions: 1, replicationFactor }] }))
  // kafkajs answers "false" for a topic that exists, instead of an error.
  const again = { topics: [{ topic: name, numPartitions: 1, replicationFactor: 1 }] }
  said['create an existing topic'] = (await admin.createTopics(again)) ? 0 : 36
  said['create a topic with a bad name'] = await make('no/slash')
  said['create a topic with 3 replicas'] = await make(name + '-3', 3)

  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } })
  await producer.connect()
  const send = (to, value, timestamp) =>
    producer.send({ topic: to, messages: [{ value, partition: 0, timestamp }] })
  said['produce to an unknown topic'] = await codeOf(send(plan.missing, 'lost'))
  said['produce a record that is too large'] = await codeOf(send(name, 'x'.repeat(10000)))
  for (let index = 0; index < 10; index++) {
    await send(name, `v${index}`, String(1000000 + index * 1000))
  }
  await producer.disconnect()

  const first = (rows) => rows.find((row) => row.partition === 0)
  const bounds = async () => first(await admin.fetchTopicOffsets(name))
  const at = async (time) => Number(first(await admin.fetchTopicOffsetsByTimestamp(name, time)).offset)
  said['offset, earliest'] = Number((await bounds()).low)
  said['offset, latest'] = Number((await bounds()).high)
  said['offset at a time'] = await at(1004500)
  // kafkajs puts the end in place of "no such offset".
  const afterAll = await at(9000000)
  said['offset after all times'] = afterAll === 10 ? -1 : afterAll

  const grow = (count) =>
    codeOf(admin.createPartitions({ topicPartitions: [{ topic: name, count }] }))
  said['create partitions'] = await grow(4)
  said['create fewer partitions'] = await grow(2)
  said.partitions = await settled(
    async () => (await admin.fetchTopicMetadata({ topics: [name] })).topics[0].partitions.length,
    4
  )

  const configEntries = [{ name: 'retention.ms', value: '777000' }]
  said['alter a config'] = await codeOf(
    admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name, configEntries }] })
  )
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: TOPIC, name, configNames: ['retention.ms'] }],
  })
  said['retention.ms'] = Number(described.resources[0].configEntries[0].configValue)

  await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '4' }] })
  said['delete records'] = Number((await bounds()).low)
  said['offset, earliest, after deleting records'] = Number((await bounds()).low)

  said['delete an unknown topic'] = await codeOf(admin.deleteTopics({ topics: [plan.missing] }))
  said['delete a topic'] = await codeOf(admin.deleteTopics({ topics: [name] }))
  said['the deleted topic is listed'] = await settled(
    async () => Number((await admin.listTopics()).includes(name)),
    0
  )
  await admin.disconnect()
}

async function main() {
  const [verb, planPath, reportPath] = process.argv.slice(2)
  const plan = JSON.parse(fs.readFileSync(planPath, 'utf8'))
  const report = { acked: {}, read: {}, outcomes: {} }
  await { produce, faults }[verb](kafkaOf(plan), plan, report)
  fs.writeFileSync(reportPath, JSON.stringify(report))
  const topics = Object.keys(report.acked).length
  console.log(`kafkajs ${verb}: ${topics} topics written, ${Object.keys(report.outcomes).length} outcomes`)
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  }
)
