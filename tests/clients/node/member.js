// kafkajs as a member of a group. The contract stands in tests/broker/member.rs.
'use strict'

const readline = require('readline')
const { Kafka, logLevel } = require('kafkajs')

const [bootstrap, groupId, topic, ...pairs] = process.argv.slice(2)
const settings = Object.fromEntries(
  pairs.map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)])
)

const say = (...words) => process.stdout.write(words.join(' ') + '\n')

async function live() {
  const kafka = new Kafka({
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 50, maxRetryTime: 500 },
  })
  const consumer = kafka.consumer({ groupId, ...settings })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) =>
    say('assigned', (payload.memberAssignment[topic] || []).join(','))
  )
  consumer.on(consumer.events.REBALANCING, () => say('assigned', ''))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const offset = String(Number(message.offset) + 1)
      await consumer.commitOffsets([{ topic, partition, offset }])
      say('record', partition, message.offset, message.value.toString())
    },
  })
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    if (line !== 'close') return
    await consumer.disconnect()
    process.exit(0)
  })
}

live().catch((error) => {
  console.error(error)
  process.exit(1)
})
