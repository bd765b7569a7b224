// A table of runs with a filter, columns that sort, ticks and buttons. What a person presses goes to the kernel; the
// table follows `entries`.

const COLUMNS = { when: "Started", title: "Run", kind: "Computes", state: "State", outcome: "Result", size: "Size" };
const MOST_TICKED = 8;

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// What a column is sorted by, where it is not what it says.
const KEYS = { size: (entry) => entry.bytes };
const compare = (column) => {
  const key = KEYS[column] ?? ((entry) => entry[column]);
  return (a, b) => (typeof key(a) === "number" ? key(a) - key(b) : key(a).localeCompare(key(b), undefined, { numeric: true }));
};

const matches = (entry, filter) => {
  const text = Object.keys(COLUMNS).map((column) => entry[column]).join(" ").toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
};

export default {
  render({ model, el }) {
    const ticked = new Set();
    let sorted = "when", ascending = false;

    const ask = {
      Open: () => ({}),
      "Use these settings": () => ({}),
      Rename: (entry) => {
        const title = window.prompt("A new name for this run:", entry.title);
        return title === null ? null : { title };
      },
      Delete: (entry) => (window.confirm(`Delete “${entry.title}” with all its files? This cannot be undone.`) ? {} : null),
    };
    const button = (entry, action) => {
      const made = element("button", { type: "button", className: "jupyter-button widget-button", textContent: action });
      made.dataset.key = `${action} ${entry.name}`;
      made.setAttribute("aria-label", `${action} ${entry.title}`);
      made.onclick = () => {
        const answer = ask[action](entry);
        if (answer) model.send({ action, name: entry.name, ...answer });
      };
      return made;
    };
    const tick = (entry) => {
      const box = element("input", { type: "checkbox", checked: ticked.has(entry.name) });
      box.dataset.key = `tick ${entry.name}`;
      box.setAttribute("aria-label", `Tick ${entry.title}`);
      box.onchange = () => {
        if (box.checked) ticked.add(entry.name);
        else ticked.delete(entry.name);
        showTicked();
      };
      return box;
    };
    const row = (entry) => {
      const cells = Object.keys(COLUMNS).map((column) => {
        const failed = column === "state" && entry.state === "failed" ? " mlxc-violated" : "";
        return element("td", { className: `mlxc-${column}${failed}`, textContent: entry[column] });
      });
      const buttons = Object.keys(ask).map((action) => button(entry, action));
      return element(
        "tr", {}, element("td", {}, tick(entry)), ...cells, element("td", { className: "mlxc-row-buttons" }, element("div", {}, ...buttons)),
      );
    };
    const heading = ([column, name]) => {
      const arrow = column === sorted ? (ascending ? " ▴" : " ▾") : "";
      const sort = element("button", { type: "button", className: "mlxc-sort", textContent: name + arrow });
      sort.dataset.key = `sort ${column}`;
      sort.onclick = () => {
        ascending = column === sorted ? !ascending : column !== "when" && column !== "size";
        sorted = column;
        draw();
      };
      const cell = element("th", {}, sort);
      if (column === sorted) cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      return cell;
    };

    const filter = element("input", { type: "search", placeholder: "Filter: crystal, functional, state …" });
    filter.setAttribute("aria-label", "Filter runs");
    const beside = element("button", { type: "button", className: "jupyter-button widget-button" });
    beside.onclick = () => model.send({ action: "Compare", names: [...ticked] });
    const table = element("table", { className: "mlxc-table" });
    const nothing = element("p", { className: "mlxc-placeholder" });

    const showTicked = () => {
      beside.disabled = ticked.size < 2 || ticked.size > MOST_TICKED;
      beside.textContent = ticked.size ? `Compare ${ticked.size} ticked` : "Compare ticked";
      beside.title = `Sets two to ${MOST_TICKED} runs side by side`;
    };
    const draw = () => {
      const focused = table.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      const entries = model.get("entries");
      const names = new Set(entries.map((entry) => entry.name));
      for (const name of ticked) if (!names.has(name)) ticked.delete(name);
      const shown = entries.filter((entry) => matches(entry, filter.value));
      // Of equal ones the newest stays the first, whichever way the others are sorted.
      const order = compare(sorted);
      shown.sort((a, b) => (ascending ? order(a, b) : order(b, a)));
      nothing.textContent = entries.length ? "No run is like this." : "There are no runs yet.";
      nothing.hidden = shown.length > 0;
      table.hidden = shown.length === 0;
      const head = element("tr", {}, element("th"), ...Object.entries(COLUMNS).map(heading), element("th"));
      table.replaceChildren(head, ...shown.map(row));
      showTicked();
      if (focused) table.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    };
    filter.oninput = draw;
    el.classList.add("mlxc-runs-table");
    el.append(element("div", { className: "mlxc-runs-row" }, filter, beside), nothing, table);
    model.on("change:entries", draw);
    draw();
    return () => model.off("change:entries", draw);
  },
};
