"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = Object.fromEntries(data.columns.map((name, position) => [name, position]));
  const lines = data.rows.map((values, row) => ({ row, values, key: values[at.accession].toLowerCase() }));
  const get = (line, column) => line.values[at[column]];
  const phenotyped = (line) => get(line, "observed") !== null;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const fixed = (decimals) => {
    const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return (value) => (value === null ? "–" : format.format(value).replace("-", "−").replace(/^−([0,.]*)$/, "$1"));
  };
  const onScale = fixed(data.decimals);
  const share = fixed(2);
  const word = (value) => (value ? "extrapolation" : "");
  const flag = () => element("span", { className: "flag", textContent: word(true) });
  const plain = (value) => value;

  // name, heading, how a value is shown, class of its cells, direction of the first sorting
  const columns = [
    ["rank", "Rank", fixed(0), "number", 1],
    ["accession", "Accession", plain, "", 1],
    ["prediction", "Prediction", onScale, "number strong", -1],
    ["standard_error", "Standard error", onScale, "number fold", 1],
    ["reliability", "Reliability", share, "number fold", -1],
    ["lower_90", "90\u00a0% from", onScale, "number fold", -1],
    ["upper_90", "90\u00a0% to", onScale, "number fold", -1],
    ["observed", "Observed", onScale, "number fold", -1],
    ["nearest_training_accession", "Nearest phenotyped line", plain, "fold", 1],
    ["relatedness", "Relatedness", share, "number fold", -1],
    ["extrapolation", "Note", word, "wide", -1],
  ].map(([name, heading, show, className, first]) => ({ name, heading, show, className, first }));
  const column = Object.fromEntries(columns.map((c) => [c.name, c]));

  const state = { search: "", show: lines.some((line) => !phenotyped(line)) ? "candidates" : "all", sort: "rank", direction: 1, size: 25, page: 0 };
  const opened = new Set();
  let shown = [];

  const byId = (id) => document.getElementById(id);
  const body = document.querySelector("#lines tbody");
  const heads = document.querySelector("#lines thead tr");

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function drawn(tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  // Lines without a value come last in either direction; ties keep the order of rank.
  function compare(a, b) {
    const x = get(a, state.sort), y = get(b, state.sort);
    if (x === null || y === null) return (x === null) - (y === null) || get(a, "rank") - get(b, "rank");
    const order = typeof x === "string" ? collator.compare(x, y) : x - y;
    return order * state.direction || get(a, "rank") - get(b, "rank");
  }

  function select() {
    const wanted = state.search.trim().toLowerCase();
    shown = lines.filter((line) => (state.show === "all" || !phenotyped(line)) && line.key.includes(wanted));
    shown.sort(compare);
    state.page = 0;
    render();
  }

  function interval(line) {
    const place = (value) => `${(100 * (value - data.axis[0])) / (data.axis[1] - data.axis[0])}%`;
    const picture = drawn("svg", { width: "100%", height: "16", "aria-hidden": "true" });
    const ends = { x1: place(get(line, "lower_90")), x2: place(get(line, "upper_90")), y1: 8, y2: 8 };
    picture.append(drawn("line", { class: "whisker", ...ends }));
    picture.append(drawn("circle", { class: "point", cx: place(get(line, "prediction")), cy: 8, r: 3.5 }));
    return element("td", { className: "interval" }, picture);
  }

  function nameCell(line) {
    const open = opened.has(line.row);
    const button = element("button", { type: "button", className: "name", textContent: get(line, "accession") });
    button.dataset.row = line.row;
    button.setAttribute("aria-expanded", open);
    const tags = element("span", { className: "narrow-only" });
    if (phenotyped(line)) tags.append(" ", element("span", { className: "tag", textContent: "phenotyped" }));
    if (get(line, "extrapolation")) tags.append(" ", flag());
    return element("th", { scope: "row" }, button, tags);
  }

  function rowOf(line) {
    const row = element("tr", {});
    for (const { name, show, className } of columns) {
      const value = show(get(line, name));
      if (name === "accession") row.append(nameCell(line));
      else if (name === "extrapolation") row.append(element("td", { className }, value && flag()));
      else row.append(element("td", { className, textContent: value }));
      if (name === "prediction") row.append(interval(line));
    }
    return row;
  }

  function sentences(line) {
    const of = (name) => column[name].show(get(line, name));
    const said = [`Predicted genetic value ${of("prediction")}, with a standard error of ${of("standard_error")}. Nine times in ten a new observation would fall between ${of("lower_90")} and ${of("upper_90")}.`];
    const among = get(line, "candidate_rank");
    if (among !== null) said.push(`Rank ${fixed(0)(among)} among the candidates.`);
    if (phenotyped(line)) said.push(`Observed: ${of("observed")}; this observation took part in the prediction.`);
    if (get(line, "nearest_training_accession")) said.push(`Closest phenotyped line: ${of("nearest_training_accession")} (relatedness ${of("relatedness")}).`);
    if (get(line, "extrapolation")) said.push("Extrapolation: less related to the phenotyped lines than almost all of these are to one another.");
    return said;
  }

  function aboutRow(line) {
    const facts = element("dl", { className: "folded-only" });
    for (const { name, heading, show } of columns) {
      if (["accession", "extrapolation"].includes(name)) continue;
      facts.append(element("div", {}, element("dt", { textContent: heading }), element("dd", { textContent: show(get(line, name)) })));
    }
    const cell = element("td", { colSpan: columns.length + 1 }, ...sentences(line).map((textContent) => element("p", { textContent })), facts);
    return element("tr", { className: "about" }, cell);
  }

  function render() {
    const size = state.size === "all" ? Math.max(shown.length, 1) : state.size;
    const pages = Math.max(Math.ceil(shown.length / size), 1);
    const start = state.page * size;
    const visible = shown.slice(start, start + size);
    body.replaceChildren(...visible.flatMap((line) => (opened.has(line.row) ? [rowOf(line), aboutRow(line)] : [rowOf(line)])));
    const noun = state.show === "all" ? "lines" : "candidates";
    byId("status").textContent = visible.length
      ? `${(start + 1).toLocaleString("en")}–${(start + visible.length).toLocaleString("en")} of ${shown.length.toLocaleString("en")} ${noun}, by ${column[state.sort].heading.toLowerCase()}`
      : `No ${noun} match “${state.search.trim()}”`;
    byId("page").textContent = `Page ${state.page + 1} of ${pages}`;
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page + 1 >= pages;
    byId("pager").hidden = pages === 1;
    for (const head of heads.children) {
      if (head.dataset.name === state.sort) head.setAttribute("aria-sort", state.direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    byId("sort").value = state.sort;
    fit();
  }

  // Columns give way to the width there is: first the pictures of intervals, then all but the main ones.
  function fit() {
    const section = byId("ranking"), table = byId("lines");
    for (const width of ["full", "compact", "folded"]) {
      section.dataset.width = width;
      if (table.offsetWidth <= table.parentElement.clientWidth) break;
    }
  }

  function sortBy(name) {
    state.direction = state.sort === name ? -state.direction : column[name].first;
    state.sort = name;
    select();
  }

  function buildHeads() {
    for (const { name, heading, className } of columns) {
      const button = element("button", { type: "button", textContent: heading });
      button.addEventListener("click", () => sortBy(name));
      const head = element("th", { scope: "col", className: className.replace("strong", "") }, button);
      head.dataset.name = name;
      heads.append(head);
      if (name === "prediction") heads.append(element("td", { className: "interval", textContent: "90\u00a0% interval" }));
      byId("sort").append(element("option", { value: name, textContent: heading }));
    }
  }

  function csv() {
    // Text that a spreadsheet would run as a formula stands behind a quote, as in predictions.csv.
    const run = (value) => value.length > 1 && /^ *[=+\-@\t\r\n]/.test(value) && !/^[-+](\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value);
    const safe = (value) => (run(value) ? `'${value}` : value);
    const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const written = (value) => (value === null ? "" : typeof value === "boolean" ? (value ? "True" : "False") : quoted(safe(String(value))));
    return [data.columns, ...shown.map((line) => line.values)].map((values) => values.map(written).join(",")).join("\n") + "\n";
  }

  function download() {
    const url = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
    const link = element("a", { href: url, download: `predictions_${data.trait.replace(/[^\w.-]+/g, "_")}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  function markInPictures(row, on) {
    for (const mark of document.querySelectorAll(`.scatter [data-row="${row}"]`)) {
      mark.classList.toggle("picked", on);
      const box = mark.getBBox();
      const plot = mark.ownerSVGElement.querySelector(".plot").getBBox();
      const right = box.x > plot.width / 2;
      const label = drawn("text", { class: "picked-name", "data-label-of": row, x: right ? box.x - 4 : box.x + box.width + 4, y: box.y + 8, "text-anchor": right ? "end" : "start" });
      label.textContent = get(lines[row], "accession");
      if (on) { mark.parentNode.append(mark); mark.ownerSVGElement.querySelector("g").append(label); }
    }
    if (!on) document.querySelectorAll(`[data-label-of="${row}"]`).forEach((label) => label.remove());
  }

  function toggle(row) {
    const on = !opened.has(row);
    if (on) opened.add(row);
    else opened.delete(row);
    markInPictures(row, on);
    render();
    body.querySelector(`button[data-row="${row}"]`)?.focus({ preventScroll: true });
  }

  function hintAt(event) {
    const mark = event.target.closest?.(".scatter [data-row]");
    const line = mark && lines[mark.dataset.row];
    const hint = byId("hint");
    hint.hidden = !line;
    if (!line) return;
    const of = (name) => column[name].show(get(line, name));
    hint.textContent = `${of("accession")}: predicted ${of("prediction")}` + (phenotyped(line) ? `, observed ${of("observed")}` : "");
    const x = Math.min(event.clientX + 12, innerWidth - hint.offsetWidth - 8);
    hint.style.transform = `translate(${x}px, ${event.clientY + 14}px)`;
  }

  byId("search").addEventListener("input", (event) => { state.search = event.target.value; select(); });
  byId("size").addEventListener("change", (event) => { state.size = event.target.value === "all" ? "all" : Number(event.target.value); state.page = 0; render(); });
  byId("sort").addEventListener("change", (event) => sortBy(event.target.value));
  byId("reverse").addEventListener("click", () => sortBy(state.sort));
  byId("previous").addEventListener("click", () => { state.page -= 1; render(); });
  byId("next").addEventListener("click", () => { state.page += 1; render(); });
  byId("download").addEventListener("click", download);
  for (const radio of document.getElementsByName("show")) {
    radio.checked = radio.value === state.show;
    radio.addEventListener("change", () => { state.show = radio.value; select(); });
  }
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button.name");
    if (button) toggle(Number(button.dataset.row));
  });
  document.addEventListener("pointermove", hintAt);
  document.addEventListener("pointerdown", hintAt);

  addEventListener("resize", fit);

  buildHeads();
  byId("controls").hidden = false;
  select();
})();
