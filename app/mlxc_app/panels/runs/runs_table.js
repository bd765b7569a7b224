// A table of runs, each with its buttons. What a person presses goes to the kernel; the table follows `entries`.

const COLUMNS = { when: "Started", title: "Run", kind: "Computes", state: "State", outcome: "Result" };

const cell = (tag, text, style = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = style;
  return element;
};

export default {
  render({ model, el }) {
    const ask = {
      Open: () => true,
      Rename: (entry) => {
        const title = window.prompt("A new name for this run:", entry.title);
        return title === null ? false : { title };
      },
      Delete: (entry) => window.confirm(`Delete “${entry.title}” with all its files? This cannot be undone.`),
    };
    const button = (entry, action) => {
      const element = cell("button", action, "jupyter-button widget-button");
      element.type = "button";
      element.dataset.key = `${action} ${entry.name}`;
      element.setAttribute("aria-label", `${action} ${entry.title}`);
      element.onclick = () => {
        const answer = ask[action](entry);
        if (answer) model.send({ action, name: entry.name, ...(answer === true ? {} : answer) });
      };
      return element;
    };
    const row = (entry) => {
      const line = document.createElement("tr");
      for (const column of Object.keys(COLUMNS)) {
        const failed = column === "state" && entry.state === "failed" ? " mlxc-violated" : "";
        line.append(cell("td", entry[column], `mlxc-${column}${failed}`));
      }
      const buttons = document.createElement("td");
      buttons.className = "mlxc-row-buttons";
      buttons.append(...Object.keys(ask).map((action) => button(entry, action)));
      line.append(buttons);
      return line;
    };
    const draw = () => {
      const focused = el.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      const entries = model.get("entries");
      if (!entries.length) {
        el.replaceChildren(cell("p", "There are no runs yet.", "mlxc-placeholder"));
        return;
      }
      const table = cell("table", "", "mlxc-table");
      const head = document.createElement("tr");
      head.append(...Object.values(COLUMNS).map((name) => cell("th", name)), cell("th", ""));
      table.append(head, ...entries.map(row));
      el.replaceChildren(table);
      if (focused) table.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    };
    el.classList.add("mlxc-runs-table");
    model.on("change:entries", draw);
    draw();
  },
};
