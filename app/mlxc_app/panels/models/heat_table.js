// Solids and functionals; a cell is blue where a functional gives too much, orange where it gives too little, and the
// number is in it. A press on a functional sorts by the size of its errors, another one goes back to kinds of solids.

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const STATISTICS = { mean: "mean (%)", mean_absolute: "mean absolute (%)", largest: "largest (%)", solids: "of how many solids" };
// Full colours would leave the number in them hard to read.
const FULLEST = 72;
const STRIP_WIDTH = 84, STRIP_HEIGHT = 22;

// What is made of a cell stands below the table, and comes into view once it has been drawn.
const showBelow = () => {
  const below = document.querySelector(".mlxc-cell");
  if (!below) return;
  let drawn;
  const seen = new MutationObserver(() => {
    clearTimeout(drawn);
    drawn = setTimeout(() => below.scrollIntoView({ behavior: "smooth", block: "nearest" }), 250);
  });
  seen.observe(below, { childList: true, subtree: true });
  setTimeout(() => seen.disconnect(), 5000);
};

const colour = (error, limit) => {
  if (error === null || error === undefined) return "transparent";
  const share = Math.min(1, Math.abs(error) / limit) * FULLEST;
  return `color-mix(in oklab, ${error > 0 ? "#0072B2" : "#D55E00"} ${share.toFixed(1)}%, var(--mlxc-paper))`;
};

const svg = (tag, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.append(svgText(text));
  return made;
};
const svgText = (text) => {
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = text;
  return title;
};

// All errors of a functional on one line: a mark for each solid, zero in the middle; behind it its error bar, if there is one.
const strip = (column, rows, limit) => {
  const picture = svg("svg", { width: STRIP_WIDTH, height: STRIP_HEIGHT, role: "img", "aria-label": `Errors of ${column.label}` });
  const place = (error) => STRIP_WIDTH / 2 + (Math.max(-1, Math.min(1, error / limit)) * (STRIP_WIDTH - 8)) / 2;
  picture.append(svg("line", { x1: STRIP_WIDTH / 2, x2: STRIP_WIDTH / 2, y1: 0, y2: STRIP_HEIGHT, class: "mlxc-heat-zero" }));
  for (const { name, label } of rows) {
    const error = column.cells[name]?.error;
    if (error === null || error === undefined) continue;
    const x = place(error), bar = column.cells[name].bar;
    if (bar) {
      const [left, right] = [place(error - bar), place(error + bar)];
      picture.append(svg("line", { x1: left, x2: right, y1: STRIP_HEIGHT / 2, y2: STRIP_HEIGHT / 2, class: "mlxc-heat-bar" }));
    }
    picture.append(svg("line", { x1: x, x2: x, y1: 4, y2: STRIP_HEIGHT - 4, class: "mlxc-heat-mark" }, `${label} ${column.cells[name].text} %`));
  }
  return picture;
};

export default {
  render({ model, el }) {
    let sorted = null;

    const shownColumns = () => {
      const moved = model.get("moved"), { columns = [] } = model.get("content");
      return moved.name ? [moved, ...columns] : columns;
    };
    const order = (rows, columns) => {
      const by = columns.find((column) => column.name === sorted);
      if (!by) return rows;
      const size = (row) => Math.abs(by.cells[row.name]?.error ?? -1);
      return [...rows].sort((a, b) => size(b) - size(a));
    };
    const heading = (column) => {
      const button = element("button", { type: "button", className: "mlxc-sort", textContent: column.label });
      button.title = `${column.label}: sort by the size of its errors`;
      button.setAttribute("aria-pressed", String(column.name === sorted));
      button.onclick = () => {
        sorted = sorted === column.name ? null : column.name;
        draw();
      };
      const cell = element("th", { scope: "col", title: column.problem }, button, column.name === sorted ? " ▾" : "");
      if (column === model.get("moved")) cell.classList.add("mlxc-heat-moved");
      return cell;
    };
    const statistic = (name, words) => (column) => tell(element("td", { title: `${words}: errors of ${column.label}` }), name, column.summary);
    // Means of some solids are not those of all.
    const tell = (cell, name, summary) => {
      cell.textContent = summary[name] ?? "";
      cell.classList.toggle("mlxc-heat-incomplete", name === "solids" && Boolean(summary.incomplete));
      return cell;
    };
    const cell = (column, row) => {
      const { chosen } = model.get("content");
      const button = element("button", { type: "button" });
      button.onclick = () => {
        model.send({ column: column.name, solid: row.name });
        showBelow();
      };
      const made = element("td", { className: "mlxc-heat-cell" }, button);
      if (chosen?.[0] === column.name && chosen?.[1] === row.name) made.classList.add("mlxc-heat-chosen");
      return fill(made, column, row.name);
    };
    // What follows the hand changes in place: to draw the whole table anew would take longer than the numbers do.
    const fill = (made, column, solid) => {
      const { error, text, words, outside, confirmed, spread } = column.cells[solid] ?? { error: null, text: "…", words: "" };
      const button = made.firstChild;
      Object.assign(button, { textContent: text, title: words });
      button.setAttribute("aria-label", words.replaceAll("\n", "; ") || text);
      if (spread) button.append(element("span", { className: "mlxc-heat-spread", textContent: spread }));
      if (confirmed) button.append(element("span", { className: "mlxc-heat-confirmed", textContent: confirmed }));
      made.style.background = colour(error, model.get("content").limit);
      made.classList.toggle("mlxc-heat-outside", Boolean(outside));
      made.classList.toggle("mlxc-heat-none", error === null);
      return made;
    };
    const follow = () => {
      const moved = model.get("moved"), { rows = [], limit } = model.get("content");
      if (!moved.name || !el.querySelector(".mlxc-heat-moved") || sorted === moved.name) return draw();
      const places = new Map([...el.querySelectorAll("tr[data-solid]")].map((line) => [line.dataset.solid, line.querySelector(".mlxc-heat-cell")]));
      for (const [solid, made] of places) fill(made, moved, solid);
      const cells = [...el.querySelectorAll(".mlxc-heat-summary")].map((line) => line.querySelector("td"));
      Object.keys(STATISTICS).forEach((name, index) => tell(cells[index], name, moved.summary));
      cells.at(-1).replaceChildren(strip(moved, rows, limit));
    };
    const line = (row, index, rows, columns) => {
      const made = element("tr", {});
      made.dataset.solid = row.name;
      const isFirst = sorted || index === 0 || rows[index - 1].kind !== row.kind;
      if (isFirst) {
        const count = sorted ? 1 : rows.filter((other) => other.kind === row.kind).length;
        made.append(element("th", { scope: "rowgroup", rowSpan: count, className: "mlxc-heat-kind", textContent: row.kind }));
        if (!sorted) made.classList.add("mlxc-heat-first");
      }
      made.append(element("th", { scope: "row", textContent: row.label, title: `measured ${row.measured}` }));
      made.append(element("td", { className: "mlxc-heat-measured", textContent: row.measured }));
      made.append(...columns.map((column) => cell(column, row)));
      return made;
    };
    const summary = (words, cells, name = "") =>
      element("tr", { className: "mlxc-heat-summary" }, element("th", { colSpan: 3, scope: "row", textContent: words, title: name }), ...cells);
    const draw = () => {
      const { rows = [], limit, unit } = model.get("content"), columns = shownColumns();
      const focused = el.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      const shown = order(rows, columns);
      const head = element("tr", {},
        element("th", { textContent: "kind" }), element("th", { textContent: "solid" }), element("th", { textContent: `measured (${unit})` }),
        ...columns.map(heading));
      const strips = columns.map((column) => element("td", {}, strip(column, rows, limit)));
      const statistics = Object.entries(STATISTICS).map(([name, words]) => summary(words, columns.map(statistic(name, words))));
      const table = element("table", { className: "mlxc-heat" },
        element("thead", {}, head, ...statistics, summary(`−${limit} % … 0 … +${limit} %`, strips, "A mark for each solid")),
        element("tbody", {}, ...shown.map((row, index) => line(row, index, shown, columns))));
      const scroll = el.querySelector(".mlxc-heat-frame")?.scrollLeft ?? 0;
      const frame = element("div", { className: "mlxc-heat-frame" }, table);
      el.replaceChildren(...(columns.length && rows.length ? [frame] : []));
      frame.scrollLeft = scroll;
      if (focused) [...el.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === focused)?.focus();
    };
    model.on("change:content", draw);
    model.on("change:moved", follow);
    draw();
    return () => {
      model.off("change:content", draw);
      model.off("change:moved", follow);
    };
  },
};
