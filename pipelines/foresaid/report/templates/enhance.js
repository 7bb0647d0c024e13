"use strict";
// Lets a reader sort a table by a column and filter its rows. It only adds: without it every table stands as it was written.
(() => {
  const shown = (row, at) => (row.cells[at] ? row.cells[at].textContent.trim() : "");
  const value = (text) => {
    if (/^\d{4}-\d\d/.test(text)) return text;
    const found = text.replace(/\u2212/g, "-").replace(/,/g, "").match(/^[+<]?\s?(-?\d+(?:\.\d+)?)/);
    return found ? Number(found[1]) : text.toLowerCase();
  };
  const absent = (one) => one === "" || one === "\u2013";
  const order = (a, b, up) => {
    if (absent(a) || absent(b)) return absent(a) - absent(b);
    const least = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    return up ? least : -least;
  };
  for (const table of document.querySelectorAll("main table")) {
    const body = table.tBodies[0];
    const head = table.tHead;
    if (!body || !head || head.rows.length > 1 || body.rows.length < 3 || body.querySelector(".divide")) continue;
    const cells = [...head.rows[0].cells];
    cells.forEach((cell, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const up = cell.getAttribute("aria-sort") !== "ascending";
        const rows = [...body.rows].map((row) => [value(shown(row, at)), row]);
        rows.sort(([a], [b]) => order(a, b, up));
        body.append(...rows.map(([, row]) => row));
        cells.forEach((other) => other.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      });
    });
    if (body.rows.length < 12) continue;
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "filter " + body.rows.length + " rows";
    field.setAttribute("aria-label", field.placeholder);
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    (table.closest(".wide") || table).before(field);
  }
})();
