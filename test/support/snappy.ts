const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])

/**
 * Bytes in the framing of Java's Snappy streams, which Kafka uses, all of them as one literal:
 * nothing is compressed, but every Snappy decoder reads it.
 */
export function literalSnappy(bytes: Buffer): Buffer {
  if (bytes.length === 0 || bytes.length > 60) throw new Error('1 to 60 bytes can be one literal')
  const block = Buffer.concat([Buffer.from([bytes.length, (bytes.length - 1) << 2]), bytes])
  const versions = Buffer.alloc(8)
  versions.writeInt32BE(1, 0)
  versions.writeInt32BE(1, 4)
  const length = Buffer.alloc(4)
  length.writeInt32BE(block.length)
  return Buffer.concat([MAGIC, versions, length, block])
}
