"use strict";
// Lets a reader search the site, sort and filter a table, and keep a chart. It only adds: without it every page stands as written.
(() => {
  const root = document.currentScript.src.replace(/assets\/site\.js.*$/, "");
  const made = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // Sorting: a column of numbers by number, of dates by date, of words by word; what is absent stays last.
  const value = (text) => {
    if (/^\d{4}-\d\d/.test(text)) return text;
    const found = text.replace(/\u2212/g, "-").replace(/,/g, "").match(/^[+<]?\s?(-?\d+(?:\.\d+)?)/);
    return found ? Number(found[1]) : text.toLowerCase();
  };
  const absent = (one) => one === "" || one === "\u2013" || one === "none";
  const order = (a, b, up) => {
    if (absent(a) || absent(b)) return absent(a) - absent(b);
    const least = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    return up ? least : -least;
  };
  // The head cell that stands lowest over each column, where head cells span rows and columns.
  const columns = (head) => {
    const lowest = [];
    const taken = [...head.rows].map(() => []);
    [...head.rows].forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (taken[y][x]) x += 1;
        for (let down = 0; down < cell.rowSpan && y + down < taken.length; down += 1)
          for (let right = 0; right < cell.colSpan; right += 1) taken[y + down][x + right] = cell;
        x += cell.colSpan;
      }
    });
    taken[taken.length - 1].forEach((cell, x) => { if (cell.colSpan === 1) lowest.push([cell, x]); });
    return lowest;
  };
  // The first line of a cell: what stands small below it belongs to it and is not sorted by.
  const shown = (row, at) => {
    const cell = row.cells[at];
    if (!cell) return "";
    const own = [...cell.childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.textContent);
    return own.join(" ").trim();
  };
  const spans = (body) => [...body.rows].some((row) => [...row.cells].some((cell) => cell.colSpan > 1 || cell.rowSpan > 1));
  const grouped = (body) => [...body.rows].some((row) => row.cells[0] && !row.cells[0].textContent.trim());

  for (const table of document.querySelectorAll("main table")) {
    const body = table.tBodies[0];
    const head = table.tHead;
    if (!body || !head || body.rows.length < 3 || spans(body) || grouped(body)) continue;
    const cells = columns(head);
    for (const [cell, at] of cells) {
      const button = made("button", { type: "button" }, ...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const up = cell.getAttribute("aria-sort") !== "ascending";
        const rows = [...body.rows].map((row) => [value(shown(row, at)), row]);
        rows.sort(([a], [b]) => order(a, b, up));
        for (const [, row] of rows) row.classList.remove("divide");
        body.append(...rows.map(([, row]) => row));
        for (const [other] of cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      });
    }
    if (body.rows.length < 12) continue;
    const words = "filter " + body.rows.length + " rows";
    const field = made("input", { type: "search", placeholder: words, "aria-label": words });
    const told = made("span", { class: "soft", role: "status" });
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase().split(/\s+/);
      let left = 0;
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        left += row.hidden ? 0 : 1;
      }
      told.textContent = field.value ? left + " of " + body.rows.length : "";
    });
    (table.closest(".wide") || table).before(made("div", { class: "filter" }, field, " ", told));
  }

  // A scroller takes the keyboard only where it scrolls.
  const reach = () => {
    for (const area of document.querySelectorAll(".wide")) {
      if (area.scrollWidth > area.clientWidth) area.setAttribute("tabindex", "0");
      else area.removeAttribute("tabindex");
    }
  };
  reach();
  addEventListener("resize", reach);
  for (const part of document.querySelectorAll("details")) part.addEventListener("toggle", reach);
  addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });

  // Every chart can be kept as a file of its own, in its light colours.
  for (const chart of document.querySelectorAll("figure svg")) {
    const words = "Download the chart as SVG";
    const button = made("button", { type: "button", class: "keep", "aria-label": words + ": " + chart.getAttribute("aria-label") }, words);
    button.addEventListener("click", () => {
      const copy = chart.cloneNode(true);
      const [, , width, height] = chart.getAttribute("viewBox").split(" ");
      const heading = (chart.parentElement.querySelector(".title") || chart).textContent;
      const above = 28; // pixels for the title, which the page says above the drawing
      const title = document.createElementNS("http://www.w3.org/2000/svg", "text");
      for (const [key, of] of Object.entries({ x: 8, y: -8, "font-size": 16, "font-weight": 600, fill: "#1d2327" })) title.setAttribute(key, of);
      title.textContent = heading;
      const paper = copy.querySelector("rect");
      if (paper) { paper.setAttribute("y", -above); paper.setAttribute("height", Number(height) + above); }
      copy.append(title);
      copy.setAttribute("viewBox", ["0", -above, width, Number(height) + above].join(" "));
      copy.setAttribute("width", width);
      copy.setAttribute("height", Number(height) + above);
      const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
      const name = heading.replace(/[^\w.-]+/g, "-").slice(0, 80);
      made("a", { href: address, download: name + ".svg" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
    chart.closest("figure").append(button);
  }

  // A chart of a forecast over time as of the end of a month: the models released by then, and the forecast once it was frozen.
  for (const figure of document.querySelectorAll("figure[data-frozen]")) {
    const chart = figure.querySelector("svg");
    const place = (element) => element.transform.baseVal.consolidate();
    const years = [...chart.querySelectorAll("text")].filter((one) => /^\d{4}(-\d\d)?$/.test(one.textContent) && place(one) && place(one).matrix.e >= 0);
    if (years.length < 2) continue;
    const [first, last] = [years[0], years[years.length - 1]].map((one) => [one.textContent.split("-").map(Number), place(one).matrix.e]).map(([[of, at = 1], x]) => [of + (at - 1) / 12, x]);
    const wide = (last[1] - first[1]) / (last[0] - first[0]) / 12; // pixels of a month
    const month = (x) => Math.floor(first[0] * 12 + (x - first[1]) / wide + 0.001);
    const end = (at) => first[1] + (at + 1 - first[0] * 12) * wide;
    const dots = [...chart.querySelectorAll(".known circle, .outcome path")].map((one) => [one, month(one.hasAttribute("cx") ? Number(one.getAttribute("cx")) : place(one).matrix.e)]);
    const models = dots.filter(([one]) => one.closest(".known"));
    if (!dots.length) continue;
    const line = chart.querySelector(".best path");
    const course = line ? line.getAttribute("d").match(/-?[\d.]+,-?[\d.]+/g).map((one) => one.split(",").map(Number)) : [];
    const [year, of] = figure.dataset.frozen.split("-").map(Number);
    const frozen = year * 12 + of - 1;
    const all = dots.map(([, at]) => at);
    const field = made("input", { type: "range", min: Math.min(...all, frozen), max: Math.max(...all, frozen) });
    const told = made("output", {});
    const show = () => {
      const at = Number(field.value);
      for (const [one, when] of dots) one.style.display = when > at ? "none" : "";
      for (const one of chart.querySelectorAll(".forecast")) one.style.display = at < frozen ? "none" : "";
      if (line && Number(field.max) === at) line.setAttribute("d", "M" + course.join("L"));
      else if (line) {
        const known = course.filter(([x]) => x <= end(at));
        if (known.length) known.push([end(at), known[known.length - 1][1]]);
        line.setAttribute("d", known.length ? "M" + known.join("L") : "");
      }
      const left = models.filter(([, when]) => when <= at).length;
      told.textContent = Math.floor(at / 12) + "-" + String((at % 12) + 1).padStart(2, "0") + ": " + left + " of " + models.length + " models released" + (at < frozen ? "; forecast not yet frozen" : "");
    };
    field.value = field.max;
    field.addEventListener("input", show);
    show();
    figure.append(made("label", { class: "asof" }, "As of the end of ", field, " ", told));
  }

  // The search: its index is a script, loaded when a reader first turns to the field, so that it works from the disk too.
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const say = "Search models, benchmarks, laws and forecasts";
  const field = made("input", { type: "search", placeholder: "Search", "aria-label": say, autocomplete: "off" });
  const count = made("p", { class: "soft", role: "status" });
  const list = made("ul", {});
  const found = made("div", { class: "found", hidden: "" }, count, list);
  const box = made("div", { class: "search", role: "search" }, field, found);
  document.querySelector("body > header").append(box);
  let rows = null;
  const look = () => {
    const wanted = plain(field.value).split(" ").filter(Boolean);
    found.hidden = !wanted.length;
    if (!rows || !wanted.length) return;
    const rank = (row) => {
      if (!wanted.every((word) => row.words.includes(word))) return -1;
      const name = row.name;
      return name === wanted.join(" ") ? 4 : name.startsWith(wanted[0]) ? 3 : wanted.every((word) => name.includes(word)) ? 2 : 1;
    };
    const best = rows.map((row) => [rank(row), row]).filter(([n]) => n > 0);
    best.sort(([a, x], [b, y]) => b - a || x.name.length - y.name.length || (x.name < y.name ? -1 : 1));
    count.textContent = best.length === 1 ? "1 found" : best.length + " found" + (best.length > 30 ? ", the first 30 shown" : "");
    list.replaceChildren(...best.slice(0, 30).map(([, row]) => made("li", {}, made("a", { href: root + row.href }, row.title), " ", made("span", { class: "tag" }, row.kind))));
  };
  globalThis.foresaidIndex = (given) => {
    rows = given.map(([kind, title, href, more]) => ({ kind, title, href, name: plain(title), words: plain([kind, title, more].join(" ")) }));
    look();
  };
  const load = () => document.head.append(made("script", { src: root + "assets/index.js" }));
  field.addEventListener("focus", load, { once: true });
  field.addEventListener("input", look);
  box.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") { field.value = ""; look(); field.focus(); }
    else if (event.key === "Enter" && at < 0 && links.length) links[0].click();
    else if (event.key === "ArrowDown" && links.length) { links[Math.min(at + 1, links.length - 1)].focus(); event.preventDefault(); }
    else if (event.key === "ArrowUp" && at >= 0) { (at ? links[at - 1] : field).focus(); event.preventDefault(); }
  });
  addEventListener("click", (event) => { if (!box.contains(event.target)) found.hidden = true; });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { field.focus(); event.preventDefault(); }
  });
})();
