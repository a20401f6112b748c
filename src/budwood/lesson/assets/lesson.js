(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const ARMS = [["pre-trained", "pre"], ["from scratch", "scratch"], ["randomised", "mixed"]];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }
  function drawn(tag, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Weights are stored as bytes: a signed number of 127ths of the largest one of its array.
  function unpacked(stored) {
    const bytes = Uint8Array.from(atob(stored.bytes), (letter) => letter.charCodeAt(0));
    let at = 0;
    return stored.sizes.map((size, place) => {
      const part = new Int8Array(bytes.buffer, at, size);
      at += size;
      return Float64Array.from(part, (value) => (value * stored.largest[place]) / 127);
    });
  }
  const stages = data.first.shown.map((stage) => ({ epoch: stage.epoch, weights: unpacked(stage) }));

  // ---- charts -------------------------------------------------------------------------------------------
  function chart(svg, { lines, x, y, xTitle, yTitle }) {
    const width = 460, height = 250, left = 44, bottom = 36, top = 8, right = 10;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const placeX = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (width - left - right);
    const placeY = (value) => height - bottom - ((Math.min(value, y[1]) - y[0]) / (y[1] - y[0])) * (height - top - bottom);
    for (const tick of ticks(y)) {
      svg.append(drawn("line", { class: "grid", x1: left, x2: width - right, y1: placeY(tick), y2: placeY(tick) }));
      svg.append(drawn("text", { x: left - 6, y: placeY(tick) + 4, "text-anchor": "end" }, String(tick)));
    }
    for (const tick of ticks(x)) svg.append(drawn("text", { x: placeX(tick), y: height - bottom + 16, "text-anchor": "middle" }, String(tick)));
    svg.append(drawn("rect", { class: "frame", x: left, y: top, width: width - left - right, height: height - top - bottom }));
    svg.append(drawn("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, xTitle));
    svg.append(drawn("text", { transform: `translate(11 ${(height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, yTitle));
    for (const line of lines) {
      if (line.lower) {
        const there = line.x.map((value, i) => `${placeX(value)},${placeY(line.upper[i])}`);
        const back = line.x.map((value, i) => `${placeX(value)},${placeY(line.lower[i])}`).reverse();
        svg.append(drawn("path", { class: `band ${line.kind}`, d: `M${[...there, ...back].join("L")}Z` }));
      }
      svg.append(drawn("path", { class: line.kind, d: `M${line.x.map((value, i) => `${placeX(value)},${placeY(line.y[i])}`).join("L")}` }));
    }
  }
  function ticks([low, high]) {
    const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((each) => each * unit >= rough) * unit, found = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) found.push(Number(tick.toFixed(6)));
    return found;
  }

  // ---- 1. the network -----------------------------------------------------------------------------------
  function readWindow() {
    const text = byId("window").value.toUpperCase().replaceAll("U", "T");
    const valid = /^[ACGT]{9}$/.test(text);
    byId("window-note").textContent = valid ? "" : "Give nine letters out of A, C, G and T.";
    return valid ? text : null;
  }

  function showNetwork() {
    const text = readWindow(), stage = stages[Number(byId("epoch").value)];
    byId("epoch-name").textContent = stage.epoch === 0 ? "no training" : stage.epoch === 1 ? "1 epoch" : `${stage.epoch} epochs`;
    if (!text) return;
    const window = lesson.encode(text), hidden = lesson.middle(stage.weights, window);
    const shares = lesson.probabilities(lesson.answer(stage.weights, hidden)), letters = lesson.LETTERS.length;
    const canvas = byId("network"), pen = canvas.getContext("2d"), { width, height } = canvas;
    pen.clearRect(0, 0, width, height);
    const leaf = colour("--leaf"), clay = colour("--clay"), soft = colour("--soft"), ink = colour("--ink"), line = colour("--line");
    const inputX = 70, middleX = 440, outX = [690, 790, 890];
    const inputY = (place, base) => 22 + place * 44 + base * 10;
    const middleY = (unit) => 12 + (unit * (height - 24)) / (lesson.MIDDLE - 1);
    const outY = (letter) => 16 + (letter * (height - 30)) / (letters - 1);
    const stroke = (x1, y1, x2, y2, value, unit) => {
      const strength = Math.min(1, Math.abs(value) / unit);
      if (strength < 0.12) return;
      pen.globalAlpha = 0.75 * strength;
      pen.strokeStyle = value > 0 ? leaf : clay;
      pen.lineWidth = 0.4 + 2 * strength;
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
      pen.stroke();
    };
    window.forEach((base, place) => {
      for (let unit = 0; unit < lesson.MIDDLE; unit++)
        stroke(inputX + 6, inputY(place, base), middleX - 5, middleY(unit), stage.weights[0][(4 * place + base) * lesson.MIDDLE + unit], 0.9);
    });
    outX.forEach((x, place) => {
      const part = shares.subarray(place * letters, (place + 1) * letters), best = part.indexOf(Math.max(...part));
      for (let unit = 0; unit < lesson.MIDDLE; unit++)
        stroke(middleX + 5, middleY(unit), x - 9, outY(best), hidden[unit] * stage.weights[2][unit * 3 * letters + place * letters + best], 0.9);
    });
    pen.globalAlpha = 1;
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    window.forEach((base, place) => {
      pen.fillStyle = ink;
      pen.fillText(`${place + 1}`, 12, inputY(place, 1.5));
      for (let each = 0; each < 4; each++) {
        pen.fillStyle = each === base ? ink : line;
        pen.beginPath();
        pen.arc(inputX, inputY(place, each), each === base ? 5 : 3, 0, 7);
        pen.fill();
        pen.fillStyle = each === base ? ink : soft;
        pen.fillText("ACGT"[each], inputX - 22, inputY(place, each));
      }
    });
    hidden.forEach((value, unit) => {
      pen.fillStyle = value > 0 ? leaf : clay;
      pen.beginPath();
      pen.arc(middleX, middleY(unit), 1.5 + 3.5 * Math.abs(value), 0, 7);
      pen.fill();
    });
    outX.forEach((x, place) => {
      for (let letter = 0; letter < letters; letter++) {
        const share = shares[place * letters + letter];
        pen.globalAlpha = 0.35 + 0.65 * share;
        pen.fillStyle = share > 0.5 ? leaf : soft;
        pen.font = share > 0.5 ? "bold 15px system-ui, sans-serif" : "12px system-ui, sans-serif";
        pen.fillText(lesson.LETTERS[letter] === "-" ? "–" : lesson.LETTERS[letter], x, outY(letter));
      }
    });
    pen.globalAlpha = 1;
    const right = lesson.aminoAcids(window), named = (letter) => (letter === "-" ? "nothing" : letter === "*" ? "stop" : letter);
    byId("answers").tBodies[0].replaceChildren(...[0, 1, 2].map((place) => {
      const part = Array.from(shares.subarray(place * letters, (place + 1) * letters), (share, k) => [share, lesson.LETTERS[k]]).sort((a, b) => b[0] - a[0]);
      return element("tr", {},
        element("th", { scope: "row", textContent: `${place + 1}` }),
        element("td", { textContent: named(right[place]) }),
        element("td", { textContent: named(part[0][1]), className: part[0][1] === right[place] ? "right" : "wrong" }),
        element("td", { textContent: part[0][0].toFixed(3), className: "number" }),
        element("td", { textContent: `${named(part[1][1])} (${part[1][0].toFixed(3)})` }));
    }));
  }
  byId("window").addEventListener("input", showNetwork);
  byId("window-form").addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("[data-window]"))
    button.addEventListener("click", () => { byId("window").value = button.dataset.window; showNetwork(); });
  byId("epoch").addEventListener("input", showNetwork);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showNetwork);

  const stored = data.first.accuracy, own = [];
  function showFirst() {
    const lines = [{ kind: "pre", x: stored.map((_, i) => i), y: stored }];
    if (own.length) lines.push({ kind: "mixed", x: own.map((_, i) => i), y: own });
    chart(byId("first-curve"), { lines, x: [0, stored.length - 1], y: [0, 1], xTitle: "epoch", yTitle: "accuracy" });
    const rows = [0, 1, 2, 5, 10, 20, 30].filter((epoch) => epoch < stored.length);
    byId("first-table").tBodies[0].replaceChildren(...rows.map((epoch) => element("tr", {},
      element("th", { scope: "row", textContent: `${epoch}` }),
      element("td", { textContent: stored[epoch].toFixed(3), className: "number" }),
      element("td", { textContent: own[epoch] === undefined ? "–" : own[epoch].toFixed(3), className: "number" }))));
  }

  // ---- training in a worker -----------------------------------------------------------------------------
  const worker = (() => {
    const handler = `onmessage = ({ data }) => {
      for (const job of data.jobs) {
        const states = job.arm === undefined ? lesson.learnFirstTask(job) : lesson.learnSecondTask(data.first, job.arm, job.examples, job);
        let last;
        for (const state of states) { last = state; postMessage({ run: data.run, arm: job.arm, value: state.accuracy ?? state.error }); }
        postMessage({ run: data.run, arm: job.arm, weights: last.weights, ended: true });
      }
      postMessage({ run: data.run, finished: true });
    };`;
    const source = new Blob([byId("engine").textContent, handler], { type: "text/javascript" });
    return new Worker(URL.createObjectURL(source));
  })();
  let run = 0, seed = 100, listener = () => {};
  worker.onmessage = ({ data: message }) => { if (message.run === run) listener(message); };
  function start(jobs, listen, first) {
    run += 1;
    listener = listen;
    worker.postMessage({ run, jobs, first });
  }

  byId("train-first").addEventListener("click", () => {
    own.length = 0;
    seed += 1;
    byId("train-first").disabled = true;
    start([{ epochs: stored.length - 1, seed, examples: 3277 }], (message) => {
      if (message.value !== undefined) {
        own.push(message.value);
        byId("train-first-status").textContent = `Epoch ${own.length - 1} of ${stored.length - 1}, accuracy ${message.value.toFixed(3)} (seed ${seed}).`;
        if (!calm || own.length === stored.length) showFirst();
      }
      if (message.ended) stages.push({ epoch: stored.length - 1, weights: message.weights, own: true });
      if (message.finished) {
        byId("train-first").disabled = false;
        byId("train-first-status").textContent = `Trained here with seed ${seed}: ${own.at(-1).toFixed(3)} of the held-out windows are right. The slider above now ends with your network.`;
        stages.splice(data.first.shown.length, stages.length - data.first.shown.length - 1);
        byId("epoch").max = stages.length - 1;
        showFirst();
      }
    });
  });

  // ---- 2. the second task -------------------------------------------------------------------------------
  function showArms(svg, part) {
    const lines = ARMS.map(([arm, kind]) => ({ kind, x: part.epochs, y: part.arms[arm].mean, lower: part.arms[arm].lower, upper: part.arms[arm].upper }));
    chart(svg, { lines, x: [0, part.epochs.at(-1)], y: [0, 5], xTitle: "epoch", yTitle: "error" });
  }
  showArms(byId("few"), data.second.few);
  showArms(byId("many"), data.second.many);

  function showExamples() {
    const place = Number(byId("examples").value), row = data.second.by_examples[place];
    byId("examples-name").textContent = row.examples.toLocaleString("en");
    for (const each of document.querySelectorAll("#by-examples tbody tr")) each.classList.toggle("chosen", Number(each.dataset.row) === place);
    const [ours, scratch] = ["pre-trained", "from scratch"].map((arm) => row.arms[arm]);
    const explained = (error) => `${(100 * (1 - (error / data.second.spread) ** 2)).toFixed(1)} %`;
    const apart = ours[2] < scratch[1];
    byId("examples-sentence").textContent = `With ${row.examples.toLocaleString("en")} examples the pre-trained network explains ${explained(ours[0])} of the differences and the one from scratch ${explained(scratch[0])}; ${apart ? "the intervals do not overlap" : "the intervals overlap, so no difference is shown"}.`;
  }
  byId("examples").addEventListener("input", showExamples);

  byId("train-second").addEventListener("click", () => {
    const row = data.second.by_examples[Number(byId("examples").value)], runs = Object.fromEntries(ARMS.map(([arm]) => [arm, []]));
    seed += 1;
    byId("train-second").disabled = true;
    byId("live").toggleAttribute("hidden", false);
    byId("live-table").toggleAttribute("hidden", false);
    const show = () => {
      const lines = ARMS.filter(([arm]) => runs[arm].length).map(([arm, kind]) => ({ kind, x: runs[arm].map((_, i) => i), y: runs[arm] }));
      chart(byId("live"), { lines, x: [0, row.epochs], y: [0, 5], xTitle: "epoch", yTitle: "error" });
      byId("live-table").tBodies[0].replaceChildren(...ARMS.map(([arm]) => element("tr", {}, element("th", { scope: "row", textContent: arm }), element("td", { className: "number", textContent: runs[arm].length ? runs[arm].at(-1).toFixed(2) : "–" }))));
    };
    const jobs = ARMS.map(([arm]) => ({ arm, examples: row.examples, epochs: row.epochs, seed }));
    start(jobs, (message) => {
      if (message.value !== undefined) {
        runs[message.arm].push(message.value);
        if (!calm && runs[message.arm].length % 5 === 0) show();
        byId("train-second-status").textContent = `${message.arm}: epoch ${runs[message.arm].length - 1} of ${row.epochs}, error ${message.value.toFixed(2)}.`;
      }
      if (message.finished) {
        show();
        byId("train-second").disabled = false;
        byId("train-second-status").textContent = `Trained here on ${row.examples.toLocaleString("en")} examples, seed ${seed}. One run is one draw: run it again to see how much it varies.`;
      }
    }, stages.find((stage) => stage.epoch === data.first.shown.at(-1).epoch).weights);
  });

  // ---- 3. the plane -------------------------------------------------------------------------------------
  data.structures.forEach((part, number) => {
    const svg = byId(`plane-${number}`), side = 420;
    svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
    const ends = [0, 1].map((axis) => [Math.min(...part.places.map((p) => p[axis])), Math.max(...part.places.map((p) => p[axis]))]);
    const place = (value, axis) => 24 + ((value - ends[axis][0]) / (ends[axis][1] - ends[axis][0])) * (side - 48);
    svg.append(drawn("rect", { class: "frame", x: 1, y: 1, width: side - 2, height: side - 2 }));
    part.places.forEach((at, row) => {
      const letter = part.letters[row], share = (lesson.HYDROPATHY[letter] + 4.5) / 9;
      const mixed = [[203, 145, 106], [238, 236, 226], [104, 178, 139]], half = share < 0.5 ? 0 : 1, within = share < 0.5 ? 2 * share : 2 * share - 1;
      const fill = `rgb(${mixed[half].map((value, i) => Math.round(value + within * (mixed[half + 1][i] - value))).join(" ")})`;
      const marked = ["TGT", "TGC", "TGG"].includes(part.codons[row]);
      const group = drawn("g", {});
      group.append(drawn("circle", { cx: place(at[0], 0), cy: side - place(at[1], 1), r: 10, fill, class: marked ? "marked" : "" }));
      group.append(drawn("text", { class: "letter", x: place(at[0], 0), y: side - place(at[1], 1) + 4 }, letter));
      group.append(drawn("title", {}, `${part.codons[row]}: ${letter}, hydropathy ${lesson.HYDROPATHY[letter]}`));
      svg.append(group);
    });
  });

  // ---- 4. hidden bases ----------------------------------------------------------------------------------
  const gene = data.real.gene;
  function showBase(at) {
    for (const button of byId("gene").children) {
      const chosen = Number(button.dataset.at) === at;
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1; // one stop for the tab key; arrows move within the gene
    }
    const shares = gene.shares[at].map((share, base) => [share, "ACGT"[base]]).sort((a, b) => b[0] - a[0]);
    byId("gene-note").textContent = `Base ${at + 1}, ${gene.bases[at]} (${gene.regions[at]}): hidden, the encoder expects ${shares.map(([share, base]) => `${base} ${(share / 100).toFixed(2)}`).join(", ")}.`;
  }
  Array.from(gene.bases).forEach((base, at) => {
    const share = gene.shares[at]["ACGT".indexOf(base)] / 100;
    const button = element("button", { type: "button", textContent: base });
    button.dataset.at = at;
    button.style.background = `color-mix(in srgb, var(--leaf) ${Math.round(70 * share)}%, var(--card))`;
    button.setAttribute("aria-label", `Base ${at + 1}: ${base}`);
    button.addEventListener("click", () => showBase(at));
    byId("gene").append(button);
  });
  byId("gene").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = Number(event.target.dataset.at) + step;
    if (!(at >= 0 && at < gene.bases.length)) return;
    event.preventDefault();
    showBase(at);
    byId("gene").children[at].focus();
  });
  showBase(gene.regions.indexOf("start codon"));

  // What is too wide for the page scrolls in its own box, which the keyboard has to reach.
  const reachable = () => {
    for (const box of document.querySelectorAll(".wide")) box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
  };
  addEventListener("resize", reachable);

  showNetwork();
  showFirst();
  showExamples();
  reachable();
})();
