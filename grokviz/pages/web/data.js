// The page's facts and arrays, as Python packed them (pack.py).

let facts = JSON.parse(document.getElementById("facts").textContent);

/** Bytes behind a base64 text, inflated by the browser itself: no network, no library. */
async function inflate(text) {
  const packed = atob(text.trim());
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const KINDS = { i2: Int16Array, u2: Uint16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
const MISSING = 65535;

/** Numbers whose bytes lie sorted by weight, as typed numbers. */
function unshuffled(bytes, Kind) {
  const size = Kind.BYTES_PER_ELEMENT;
  const count = bytes.length / size;
  const whole = new Uint8Array(bytes.length);
  for (let plane = 0; plane < size; plane++) {
    for (let i = 0; i < count; i++) whole[i * size + plane] = bytes[plane * count + i];
  }
  return new Kind(whole.buffer);
}

/** One array: its numbers in one row, its shape and what its dataset says of it. */
class Field {
  constructor(name, values, about) {
    Object.assign(this, { name, values, about, shape: about.shape, dims: about.dims });
    this.stride = this.shape[0] ? values.length / this.shape[0] : 0;
  }

  /** The part at index i of the first dimension, without a copy. */
  at(i) {
    return this.values.subarray(i * this.stride, (i + 1) * this.stride);
  }

  /** One number of every row: a column of a field over (first, rest). */
  column(j) {
    return Float64Array.from({ length: this.shape[0] }, (_, i) => this.values[i * this.stride + j]);
  }

  /** Labels of a dimension: words or numbers. */
  labels(dim) {
    return facts.labels[dim] ?? (store.has(dim) ? Array.from(store.get(dim).values) : []);
  }
}

/** All arrays of the page; each is decoded when it is first asked for. */
class Store {
  constructor(buffer, { variables }) {
    Object.assign(this, { buffer, variables });
    this.fields = new Map();
  }

  has(name) {
    return Object.hasOwn(this.variables, name);
  }

  get(name) {
    if (!this.fields.has(name)) this.fields.set(name, this.decoded(name));
    return this.fields.get(name);
  }

  decoded(name) {
    const about = this.variables[name];
    const Kind = KINDS[about.type];
    const count = about.shape.reduce((a, b) => a * b, 1);
    const bytes = new Uint8Array(this.buffer, about.start, count * Kind.BYTES_PER_ELEMENT);
    const codes = unshuffled(bytes, Kind);
    if (about.differences && about.shape[0]) {
      // typed arrays wrap around, as the differences did
      const stride = count / about.shape[0];
      for (let i = stride; i < count; i++) codes[i] += codes[i - stride];
    }
    if (about.scale === undefined) return new Field(name, codes, about);
    const { scale, offset } = about;
    const values = Float32Array.from(codes, (c) => (c === MISSING ? NaN : offset + scale * c));
    return new Field(name, values, about);
  }
}

let store; // set once, by page.js
