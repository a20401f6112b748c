"use strict";
// Buttons that save a picture as it is drawn: as SVG with its styles, or as PNG at three times its size.
(() => {
  const kept = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "font-size", "font-weight", "font-family", "text-anchor", "paint-order"];

  function standalone(picture) {
    const copy = picture.cloneNode(true);
    const drawn = [picture, ...picture.querySelectorAll("*")];
    [copy, ...copy.querySelectorAll("*")].forEach((element, place) => {
      const style = getComputedStyle(drawn[place]);
      element.setAttribute("style", kept.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
      element.removeAttribute("class");
      element.removeAttribute("data-row");
    });
    const { width, height } = picture.viewBox.baseVal;
    const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ width, height, fill: getComputedStyle(document.body).backgroundColor })) paper.setAttribute(name, value);
    copy.prepend(paper);
    for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height })) copy.setAttribute(name, value);
    return new XMLSerializer().serializeToString(copy);
  }

  function save(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function savePng(picture, name) {
    const { width, height } = picture.viewBox.baseVal;
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [3 * width, 3 * height];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((content) => save(name, content), "image/png");
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(picture))}`;
  }

  for (const picture of document.querySelectorAll("figure > svg.scatter")) {
    const row = document.createElement("p");
    row.className = "save screen-only";
    const add = (format, action) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: `Save as ${format}`, onclick: action });
      button.setAttribute("aria-label", `Save the picture ${picture.id} as ${format}`);
      row.append(button);
    };
    add("SVG", () => save(`${picture.id}.svg`, new Blob([standalone(picture)], { type: "image/svg+xml" })));
    add("PNG", () => savePng(picture, `${picture.id}.png`));
    picture.closest("figure").append(row);
  }
})();
