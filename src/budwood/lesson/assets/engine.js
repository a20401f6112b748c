"use strict";
// The experiments of the lesson in the browser: the same arithmetic, in the same order, as budwood.lesson in Python.
const lesson = (() => {
  const BASES = "ACGT";
  const AMINO = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF";
  const LETTERS = "ACDEFGHIKLMNPQRSTVWY*-";
  const HYDROPATHY = { A: 1.8, R: -4.5, N: -3.5, D: -3.5, C: 2.5, Q: -3.5, E: -3.5, G: -0.4, H: -3.2, I: 4.5, L: 3.8, K: -3.9, M: 1.9, F: 2.8, P: -1.6, S: -0.8, T: -0.7, W: -0.9, Y: -1.3, V: 4.2 };
  const INPUTS = 36, MIDDLE = 64, PLACES = 3, OUTPUTS = PLACES * LETTERS.length;
  const HELD_OUT = 819, TESTED = 1000;

  class RandomNumbers {
    constructor(seed) {
      this.seed = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
      this.drawn = 0;
    }
    next() {
      this.drawn += 1;
      const a = (this.seed + Math.imul(this.drawn, 0x6d2b79f5)) >>> 0;
      let t = Math.imul(a ^ (a >>> 15), a | 1) >>> 0;
      t = ((t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t) >>> 0;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }
    normal() {
      const first = this.next(), second = this.next();
      return Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
    }
    permutation(count) {
      const keys = Float64Array.from({ length: count }, () => this.next());
      return Int32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b);
    }
  }

  const codon = (window, at) => 16 * window[at] + 4 * window[at + 1] + window[at + 2];
  const encode = (text) => Array.from(text, (letter) => BASES.indexOf(letter));

  function aminoAcids(window) {
    if (window[0] !== 0 || window[1] !== 3 || window[2] !== 2) return "---";
    const second = AMINO[codon(window, 3)];
    return "M" + second + (second === "*" ? "-" : AMINO[codon(window, 6)]);
  }

  const openedWindows = () => Array.from({ length: 4096 }, (_, n) => [0, 3, 2, ...[10, 8, 6, 4, 2, 0].map((shift) => (n >> shift) & 3)]);
  const classes = (window) => Array.from(aminoAcids(window), (letter) => LETTERS.indexOf(letter));
  const hydrophobicity = (window) => Array.from(aminoAcids(window)).reduce((sum, letter) => sum + HYDROPATHY[letter], 0);

  function newWeights(random, outputs) {
    const first = Float64Array.from({ length: INPUTS * MIDDLE }, () => random.normal() / Math.sqrt(INPUTS));
    const second = Float64Array.from({ length: MIDDLE * outputs }, () => random.normal() / Math.sqrt(MIDDLE));
    return [first, new Float64Array(MIDDLE), second, new Float64Array(outputs)];
  }

  // One-hot inputs pick nine rows of the first matrix.
  function middle(weights, window, hidden = new Float64Array(MIDDLE)) {
    hidden.fill(0);
    for (let place = 0; place < 9; place++) {
      const row = (4 * place + window[place]) * MIDDLE;
      for (let unit = 0; unit < MIDDLE; unit++) hidden[unit] += weights[0][row + unit];
    }
    for (let unit = 0; unit < MIDDLE; unit++) hidden[unit] = Math.tanh(hidden[unit] + weights[1][unit]);
    return hidden;
  }

  function answer(weights, hidden) {
    const outputs = weights[3].length, scores = new Float64Array(outputs);
    for (let unit = 0; unit < MIDDLE; unit++)
      for (let out = 0; out < outputs; out++) scores[out] += hidden[unit] * weights[2][unit * outputs + out];
    for (let out = 0; out < outputs; out++) scores[out] += weights[3][out];
    return scores;
  }

  function probabilities(scores) {
    const found = new Float64Array(scores.length), size = LETTERS.length;
    for (let place = 0; place < PLACES; place++) {
      const part = scores.subarray(place * size, (place + 1) * size), top = Math.max(...part);
      let sum = 0;
      for (let k = 0; k < size; k++) sum += found[place * size + k] = Math.exp(part[k] - top);
      for (let k = 0; k < size; k++) found[place * size + k] /= sum;
    }
    return found;
  }

  const predicted = (weights, window) => {
    const shares = probabilities(answer(weights, middle(weights, window)));
    return Array.from({ length: PLACES }, (_, place) => {
      const part = shares.subarray(place * LETTERS.length, (place + 1) * LETTERS.length);
      return LETTERS[part.indexOf(Math.max(...part))];
    }).join("");
  };

  class Optimiser {
    constructor(weights, rate, decay) {
      Object.assign(this, { weights, rate, decay, steps: 0 });
      this.mean = weights.map((each) => new Float64Array(each.length));
      this.square = weights.map((each) => new Float64Array(each.length));
    }
    step(windows, slopes, hiddens) {
      const outputs = this.weights[3].length;
      const gradients = this.weights.map((each) => new Float64Array(each.length));
      windows.forEach((window, row) => {
        const slope = slopes[row], hidden = hiddens[row];
        for (let out = 0; out < outputs; out++) gradients[3][out] += slope[out];
        for (let unit = 0; unit < MIDDLE; unit++) {
          let below = 0;
          for (let out = 0; out < outputs; out++) {
            below += slope[out] * this.weights[2][unit * outputs + out];
            gradients[2][unit * outputs + out] += hidden[unit] * slope[out];
          }
          below *= 1 - hidden[unit] * hidden[unit];
          gradients[1][unit] += below;
          for (let place = 0; place < 9; place++) gradients[0][(4 * place + window[place]) * MIDDLE + unit] += below;
        }
      });
      this.steps += 1;
      const first = 1 - 0.9 ** this.steps, second = 1 - 0.999 ** this.steps;
      this.weights.forEach((weight, place) => {
        const mean = this.mean[place], square = this.square[place], gradient = gradients[place];
        const kept = place % 2 === 0 ? 1 - this.rate * this.decay : 1;
        for (let i = 0; i < weight.length; i++) {
          mean[i] = 0.9 * mean[i] + (1 - 0.9) * gradient[i];
          square[i] = 0.999 * square[i] + (1 - 0.999) * gradient[i] * gradient[i];
          weight[i] = (weight[i] - (this.rate * (mean[i] / first)) / (Math.sqrt(square[i] / second) + 1e-8)) * kept;
        }
      });
    }
  }

  function firstAccuracy(weights, windows) {
    const right = windows.filter((window) => predicted(weights, window) === aminoAcids(window));
    return right.length / windows.length;
  }

  const copied = (weights) => weights.map((each) => each.slice());

  function* learnFirstTask({ epochs = 30, seed = 0, examples = 4096 - HELD_OUT } = {}) {
    const random = new RandomNumbers(seed), opened = openedWindows(), order = random.permutation(4096);
    const windows = Array.from(order.subarray(0, examples), (n) => opened[n]);
    for (let n = 0; n < examples; n++) windows.push(Array.from({ length: 9 }, () => Math.floor(4 * random.next())));
    const wanted = windows.map(classes), test = Array.from(order.subarray(4096 - HELD_OUT), (n) => opened[n]);
    const optimiser = new Optimiser(newWeights(random, OUTPUTS), 0.005, 0.2);
    yield { weights: optimiser.weights, accuracy: firstAccuracy(optimiser.weights, test) };
    for (let epoch = 0; epoch < epochs; epoch++) {
      const shuffled = random.permutation(windows.length);
      for (let start = 0; start < windows.length; start += 32) {
        const rows = shuffled.subarray(start, start + 32), hiddens = [], slopes = [];
        for (const row of rows) {
          const hidden = middle(optimiser.weights, windows[row]);
          const slope = probabilities(answer(optimiser.weights, hidden));
          wanted[row].forEach((letter, place) => (slope[place * LETTERS.length + letter] -= 1));
          hiddens.push(hidden);
          slopes.push(slope.map((each) => each / rows.length));
        }
        optimiser.step(Array.from(rows, (row) => windows[row]), slopes, hiddens);
      }
      yield { weights: optimiser.weights, accuracy: firstAccuracy(optimiser.weights, test) };
    }
  }

  function codingWindows() {
    const windows = openedWindows().filter((window) => !aminoAcids(window).includes("*"));
    return { windows, values: windows.map(hydrophobicity) };
  }

  function* learnSecondTask(first, arm, examples, { epochs, seed = 0 }) {
    const { windows, values } = codingWindows();
    const centre = values.reduce((a, b) => a + b, 0) / values.length;
    const unit = Math.sqrt(values.reduce((a, b) => a + (b - centre) ** 2, 0) / values.length);
    const wanted = values.map((value) => (value - centre) / unit);
    const random = new RandomNumbers(1000 + seed), order = random.permutation(windows.length);
    const rows = order.subarray(0, examples), tested = order.subarray(windows.length - TESTED);
    let weights = newWeights(random, 1);
    if (arm === "pre-trained") weights = [first[0].slice(), first[1].slice(), weights[2], weights[3]];
    if (arm === "randomised") {
      const mixed = Float64Array.from(random.permutation(first[0].length), (n) => first[0][n]);
      weights = [mixed, Float64Array.from(random.permutation(MIDDLE), (n) => first[1][n]), weights[2], weights[3]];
    }
    const optimiser = new Optimiser(weights, 0.002, 0), batches = new RandomNumbers(2000 + seed);
    const error = () => {
      let sum = 0;
      for (const n of tested) sum += (answer(optimiser.weights, middle(optimiser.weights, windows[n]))[0] - wanted[n]) ** 2;
      return Math.sqrt(sum / TESTED) * unit;
    };
    yield { weights: optimiser.weights, error: error() };
    for (let epoch = 0; epoch < epochs; epoch++) {
      const shuffled = batches.permutation(examples);
      for (let start = 0; start < examples; start += 16) {
        const part = shuffled.subarray(start, start + 16), chosen = Array.from(part, (n) => rows[n]);
        const hiddens = chosen.map((n) => middle(optimiser.weights, windows[n]));
        const slopes = chosen.map((n, row) => [(2 * (answer(optimiser.weights, hiddens[row])[0] - wanted[n])) / chosen.length]);
        optimiser.step(chosen.map((n) => windows[n]), slopes, hiddens);
      }
      yield { weights: optimiser.weights, error: error() };
    }
  }

  return { RandomNumbers, LETTERS, HYDROPATHY, INPUTS, MIDDLE, encode, aminoAcids, hydrophobicity, middle, answer, probabilities, predicted, copied, learnFirstTask, learnSecondTask, newWeights };
})();
if (typeof module !== "undefined") module.exports = lesson;
