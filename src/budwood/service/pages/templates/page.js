"use strict";
// Follows a job: its progress is drawn while it runs, and the page is loaded again when it has ended.
(() => {
  const state = document.getElementById("state");
  if (!state || !state.dataset.follow) return;
  const ended = ["done", "refused", "failed", "cancelled", "expired"];
  const events = new EventSource(state.dataset.follow);
  let first = true;
  events.addEventListener("progress", (event) => {
    const { what, done, total } = JSON.parse(event.data);
    document.getElementById("progress").hidden = false;
    document.getElementById("bar-label").textContent = `${what}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    const bar = document.getElementById("bar");
    bar.max = total;
    bar.value = done;
  });
  events.addEventListener("estimate", (event) => {
    const list = document.getElementById("estimates");
    if (first) list.replaceChildren();
    first = false;
    list.append(Object.assign(document.createElement("li"), { textContent: JSON.parse(event.data).text }));
  });
  events.addEventListener("job", (event) => {
    const now = JSON.parse(event.data).state;
    const mark = state.querySelector(".state");
    mark.textContent = now;
    mark.className = `state ${now}`;
    if (ended.includes(now)) {
      events.close();
      location.reload();
    }
  });
})();
