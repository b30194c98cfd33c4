// @ts-check
/** A ZIP archive without compression: JPEGs would not get smaller, and browsers block many downloads in a row. */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

const UTF8_NAMES = 0x0800;
/** 1 January 1980, where the format's calendar begins. */
const NO_DATE = 0x0021;

/**
 * The checksum of ISO 3309, as ZIP and PNG use it.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * @param {readonly {name: string, bytes: Uint8Array}[]} files
 * @returns {Uint8Array} the archive
 */
export function zip(files) {
  /** @type {Uint8Array[]} */
  const parts = [];
  /** @type {Uint8Array[]} */
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const encoded = new TextEncoder().encode(name);
    const fields = [20, UTF8_NAMES, 0, 0, NO_DATE];
    const sums = [crc32(bytes), bytes.length, bytes.length];
    const header = record(0x04034b50, fields, sums, [encoded.length, 0]);
    parts.push(header, encoded, bytes);
    directory.push(
      record(0x02014b50, [20, ...fields], sums, [encoded.length, 0, 0, 0, 0, 0, 0, ...halves(offset)]),
      encoded,
    );
    offset += header.length + encoded.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(0x06054b50, [0, 0, files.length, files.length], [size, offset], [0]);
  return joined([...parts, ...directory, end]);
}

/**
 * Little-endian: a signature, 16-bit fields, 32-bit fields, 16-bit fields again.
 * @param {number} signature
 * @param {number[]} shorts
 * @param {number[]} longs
 * @param {number[]} tail
 */
function record(signature, shorts, longs, tail) {
  const bytes = new Uint8Array(4 + shorts.length * 2 + longs.length * 4 + tail.length * 2);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put32 = (/** @type {number} */ value) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const put16 = (/** @type {number} */ value) => {
    view.setUint16(at, value, true);
    at += 2;
  };
  put32(signature);
  shorts.forEach(put16);
  longs.forEach(put32);
  tail.forEach(put16);
  return bytes;
}

/** @param {number} value */
function halves(value) {
  return [value & 0xffff, value >>> 16];
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
