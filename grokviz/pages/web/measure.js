// Fields over (a, b), rebuilt from what is stored as the fields of its task do: attention
// scores of 2p + 1 distinct rows, and what each head adds to a neuron for each row.

/** Weights of the rows before they are shared out: the softmax's exponentials. */
function attentionWeights(scores) {
  const highest = scores.reduce((x, y) => Math.max(x, y), -Infinity);
  return Float64Array.from(scores, (score) => Math.exp(score - highest));
}

/** Attention from '=' to a over all pairs, flat (a * p + b). */
function attentionToA(scores) {
  const p = (scores.length - 1) / 2;
  const weight = attentionWeights(scores);
  const found = new Float64Array(p * p);
  for (let a = 0; a < p; a++) {
    const own = weight[a] + weight[2 * p];
    for (let b = 0; b < p; b++) found[a * p + b] = weight[a] / (own + weight[p + b]);
  }
  return found;
}

/** Activations over (a, b) of a stored neuron, after the ReLU; `field` is on field_epoch. */
function activations(neuron, field) {
  const tables = store.get("neuron_table").at(field); // neuron, head, row
  const moment = store.get("field_epoch").values[field];
  const scores = store.get("attention_score").at(nearest(epochs, moment)); // head, row
  const [, , heads, rows] = store.get("neuron_table").shape;
  const at = Array.from(store.get("neuron").values).indexOf(neuron);
  const p = (rows - 1) / 2;
  const found = new Float64Array(p * p).fill(store.get("neuron_offset").at(field)[at]);
  for (let head = 0; head < heads; head++) {
    const table = tables.subarray((at * heads + head) * rows, (at * heads + head + 1) * rows);
    const weight = attentionWeights(scores.subarray(head * rows, (head + 1) * rows));
    const given = weight.map((w, row) => w * table[row]);
    for (let a = 0; a < p; a++) {
      const [own, gives] = [weight[a] + weight[2 * p], given[a] + given[2 * p]];
      for (let b = 0; b < p; b++) {
        found[a * p + b] += (gives + given[p + b]) / (own + weight[p + b]);
      }
    }
  }
  for (let i = 0; i < found.length; i++) if (found[i] < 0) found[i] = 0;
  return found;
}

const bases = new Map();

/** Orthonormal waves over p residues, flat (component, residue): constant, cos 1, sin 1, ... */
function fourierBasis(p) {
  if (bases.has(p)) return bases.get(p);
  const basis = new Float64Array(p * p).fill(1 / Math.sqrt(p), 0, p);
  for (let k = 1; k <= (p - 1) / 2; k++) {
    for (let n = 0; n < p; n++) {
      // turns reduced as whole numbers keep high frequencies as exact as low ones
      const angle = (2 * Math.PI * ((k * n) % p)) / p;
      basis[(2 * k - 1) * p + n] = Math.cos(angle) * Math.sqrt(2 / p);
      basis[2 * k * p + n] = Math.sin(angle) * Math.sqrt(2 / p);
    }
  }
  bases.set(p, basis);
  return basis;
}

/** Coefficients of a field over (a, b), less its mean: flat (component of a, component of b). */
function spectrum(field) {
  const p = Math.round(Math.sqrt(field.length));
  const basis = fourierBasis(p);
  const mean = field.reduce((x, y) => x + y, 0) / field.length;
  const centred = field.map((value) => value - mean);
  return product(product(basis, transposed(centred, p), p), basis, p);
}

/** Product of two p x p matrices, the second one given transposed: row times row. */
function product(left, rightTransposed, p) {
  const found = new Float64Array(p * p);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < p; j++) {
      let sum = 0;
      for (let n = 0; n < p; n++) sum += left[i * p + n] * rightTransposed[j * p + n];
      found[i * p + j] = sum;
    }
  }
  return found;
}

function transposed(matrix, p) {
  const found = new Float64Array(p * p);
  for (let i = 0; i < p; i++) for (let j = 0; j < p; j++) found[j * p + i] = matrix[i * p + j];
  return found;
}

/** A flat field as the rows that a heatmap takes. */
function rowsOf(flat, width) {
  const rows = [];
  for (let start = 0; start < flat.length; start += width) rows.push(flat.subarray(start, start + width));
  return rows;
}
